"""Synthetic audio-visual clips: what is seen, what is heard, and how it is written to disk."""
