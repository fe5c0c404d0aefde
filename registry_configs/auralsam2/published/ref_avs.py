"""AuralSAM2 as published on SAM 2.0 Hiera large, Ref-AVS."""

_base_ = [
    "../../_base_/models/auralsam2_ref.py",
    "../../_base_/datasets/ref_avs.py",
    "../../_base_/schedules/published.py",
    "../../_base_/runtime.py",
]

model = dict(
    backbone=dict(checkpoint="weights/sam2_hiera_large.pt"),
    audio_encoder=dict(weights="weights/vggish-10086976.pth"),
)
optim = dict(epochs=50)
evaluation = dict(
    metrics=[dict(type="JaccardMetric"), dict(type="FScoreMetric"), dict(type="NullMetric")]
)
