"""AuralSAM2 as the authors released it, defects included, on SAM 2.0 Hiera large, Ref-AVS."""

_base_ = [
    "../../_base_/models/auralsam2_ref_released.py",
    "../../_base_/datasets/ref_avs_released.py",
    "../../_base_/schedules/published.py",
    "../../_base_/runtime.py",
]

model = dict(
    backbone=dict(checkpoint="weights/sam2_hiera_large.pt"),
    audio_encoder=dict(weights="weights/vggish-10086976.pth"),
)
optim = dict(epochs=50)
# Masks are compared at the size that the model reads; batches of four clips have one score, and S
# is the share of all pixels, without a root.
evaluation = dict(
    metrics=[
        dict(type="JaccardMetric", size=1024, group_size=4),
        dict(type="FScoreMetric", size=1024, group_size=4),
        dict(type="NullMetric", size=1024, reduction="cumulative_ratio"),
    ]
)
