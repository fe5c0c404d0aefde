"""Other ways to audio-visual segmentation, trained and scored by the same commands."""

from auralsam2.registry import import_siblings

import_siblings(__name__, __path__)
