"""Training losses: pure functions, each behind a thin registered module."""
