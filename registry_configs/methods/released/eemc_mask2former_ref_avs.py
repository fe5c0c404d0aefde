"""EEMC with Mask2Former as the authors released it, defects included, Ref-AVS."""

_base_ = ["../eemc_mask2former_ref_avs.py"]

model = dict(
    scramble_visual_tokens=True,
    attend_across_clips=True,
    freeze_attentions=True,
    adapters_without_skip=True,
)
evaluation = dict(
    metrics=[
        dict(type="JaccardMetric", threshold=0.4),
        dict(type="FScoreMetric"),
        dict(type="NullMetric"),
    ]
)
