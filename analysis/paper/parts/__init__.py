"""The parts of a recipe; every module here registers some."""
