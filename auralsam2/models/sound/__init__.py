"""Classifiers of what is heard: one file each, registered by being here."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
