"""EEMC on SAM 2.0 Hiera large as the authors released its cues, defects included, Ref-AVS."""

_base_ = ["../eemc_ref_avs.py"]

model = dict(scramble_visual_tokens=True, attend_across_clips=True, freeze_attentions=True)
evaluation = dict(
    metrics=[
        dict(type="JaccardMetric", threshold=0.4),
        dict(type="FScoreMetric"),
        dict(type="NullMetric"),
    ]
)
