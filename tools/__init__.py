"""Command-line tools: one file is one subcommand of ``auralsam2``."""
