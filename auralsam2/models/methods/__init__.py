"""Other ways to audio-visual segmentation, trained and scored by the same commands."""
