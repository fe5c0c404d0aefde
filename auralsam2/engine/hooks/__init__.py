"""Stages of training that are not part of the loop."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
