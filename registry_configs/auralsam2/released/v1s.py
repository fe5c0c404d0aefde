"""AuralSAM2 as the authors released it, defects included, on SAM 2.0 Hiera large, AVSBench V1S."""

_base_ = [
    "../../_base_/models/auralsam2_released.py",
    "../../_base_/datasets/avsbench_v1s_released.py",
    "../../_base_/schedules/published.py",
    "../../_base_/runtime.py",
]

model = dict(
    backbone=dict(checkpoint="weights/sam2_hiera_large.pt"),
    audio_encoder=dict(weights="weights/vggish-10086976.pth"),
)
optim = dict(epochs=140)
# Masks are compared at the size that the model reads.
evaluation = dict(
    metrics=[dict(type="JaccardMetric", size=1024), dict(type="FScoreMetric", size=1024)]
)
