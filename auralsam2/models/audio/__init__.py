"""Audio encoders: log-mel examples to one vector a frame."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
