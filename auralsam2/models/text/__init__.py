"""Text encoders: referring expressions to hidden states."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
