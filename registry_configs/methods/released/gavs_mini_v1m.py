"""GAVS as released, on the embedded sam2-mini: trained on noise in the place of sound."""

_base_ = ["../gavs_mini_v1m.py"]

# Synthetic clips are square and labelled in every frame: only colours are left to differ.
model = dict(noise="replace", bgr_frames=True)
