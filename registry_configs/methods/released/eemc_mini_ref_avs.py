"""EEMC on the embedded sam2-mini as the authors released its cues, defects included."""

_base_ = ["../eemc_mini_ref_avs.py"]

model = dict(scramble_visual_tokens=True, attend_across_clips=True, freeze_attentions=True)
