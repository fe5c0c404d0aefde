"""The authors' published checkpoints and ours: the same tensors under two sets of names."""
