"""AuralSAM2: ablations of audio-prompted SAM2 for audio-visual segmentation."""

__version__ = "0.2.0"
