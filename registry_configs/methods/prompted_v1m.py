"""SAM2 prompted from the truth with a box an object, SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="PromptedSAM2",
    backbone=_base_.model.backbone,
    prompt="box",
    prompted_frames="every",
    jitter=0.05,
    seed=0,
)
