"""How the embedded weights are made: ``sam2-mini`` and ``log-mel-cnn``."""

FRESH_SEED = 1_000_000
"""Of what is scored: far from the seeds that a training would choose."""
