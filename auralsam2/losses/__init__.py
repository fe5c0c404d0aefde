"""Training losses: pure functions, each behind a thin registered module."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
