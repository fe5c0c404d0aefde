"""Promptable networks of transformers as they are, seen and changed by hooks alone."""
