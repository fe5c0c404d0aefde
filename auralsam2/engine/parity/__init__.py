"""Our numbers against those of the authors' released code."""
