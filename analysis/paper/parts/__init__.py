"""The parts of a recipe; every module here registers some."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
