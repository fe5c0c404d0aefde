"""SAM2 prompted from the truth with a box an object, on the embedded sam2-mini: the upper line."""

_base_ = ["../auralsam2/mini_v1m.py"]

model = dict(
    _delete_=True,
    type="PromptedSAM2",
    backbone=_base_.model.backbone,
    prompt="box",
    prompted_frames="every",
    jitter=0.05,
    seed=0,
    feature_cache_mb=_base_.model.feature_cache_mb,
)
