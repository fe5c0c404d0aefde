"""Audio encoders: log-mel examples to one vector a frame."""
