"""Figures: each file collects numbers, then draws them."""
