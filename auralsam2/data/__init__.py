"""Clips: files to tensors, and synthetic ones that need no download."""
