"""SAM2 without any prompt, on the embedded sam2-mini: the lower line."""

_base_ = ["../auralsam2/mini_v1m.py"]

model = dict(
    _delete_=True,
    type="UnpromptedSAM2",
    backbone=_base_.model.backbone,
    tracker=_base_.model.tracker,
    feature_cache_mb=_base_.model.feature_cache_mb,
)
