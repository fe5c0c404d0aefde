"""SAM4AVS' rule behind a classifier and a detector that are trained, on sam2-mini."""

_base_ = ["./translated_mini_v1m.py"]

model = dict(rule="top_k", top_k=2, box_threshold=0.3, boxes_per_class=None)
