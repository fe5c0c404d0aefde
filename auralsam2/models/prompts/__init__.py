"""Prompt heads: residuals of the fuser to sparse and dense prompts of the mask decoder."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
