"""AL-Ref-SAM2's rule behind a classifier and a detector that are trained, on sam2-mini."""

_base_ = ["./translated_mini_v1m.py"]

model = dict(type="ALRefSAM2", per_second=True, box_threshold=0.25, boxes_per_class=3)
