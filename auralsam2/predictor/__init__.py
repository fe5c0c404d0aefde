"""Trained models shown a video or a picture with its sound: the vocabulary of SAM2's predictors.

Subclasses of the official predictors with audio prompts beside clicks, boxes and masks; image
features and audio prompts are computed once.
"""

from auralsam2.predictor.image import AuralSAM2ImagePredictor as AuralSAM2ImagePredictor
from auralsam2.predictor.video import AuralSAM2VideoPredictor as AuralSAM2VideoPredictor
