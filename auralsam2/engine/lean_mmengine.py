"""Import mmengine's optimizers without transformers, which they look for and need for nothing.

To be imported before anything else of mmengine. Components of a registry are imported that way too.
"""

from auralsam2.builder import without_transformers

with without_transformers():
    import mmengine.optim  # noqa: F401
