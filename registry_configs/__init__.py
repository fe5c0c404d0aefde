"""Configs as data: runnable leaves, their bases and grids, found by name."""
