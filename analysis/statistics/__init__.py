"""Means, intervals and tests over seeds and clips."""
