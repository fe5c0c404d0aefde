"""AuralSAM2 as published on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = [
    "../../_base_/models/auralsam2.py",
    "../../_base_/datasets/avsbench_v1m.py",
    "../../_base_/schedules/published.py",
    "../../_base_/runtime.py",
]

model = dict(
    backbone=dict(checkpoint="weights/sam2_hiera_large.pt"),
    audio_encoder=dict(weights="weights/vggish-10086976.pth"),
)
optim = dict(epochs=140)
