"""Text encoders: referring expressions to hidden states."""
