"""Stages of training that are not part of the loop."""
