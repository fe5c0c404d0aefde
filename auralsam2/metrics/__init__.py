"""Scores of predicted masks: pure functions, each behind a registered mmengine metric."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
