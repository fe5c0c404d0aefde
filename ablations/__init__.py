"""Which runs, and where they run."""
