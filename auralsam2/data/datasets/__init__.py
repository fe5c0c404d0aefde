"""Readers of clips, one data set a file."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
