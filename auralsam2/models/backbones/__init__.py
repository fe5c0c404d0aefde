"""Image backbones with their mask decoder and memory."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
