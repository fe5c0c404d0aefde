"""Checks of a whole data set on disk before anything trains on it."""
