"""SAM2 without any prompt, AVSBench V1M: the lower line."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="UnpromptedSAM2",
    backbone=_base_.model.backbone,
    tracker=_base_.model.tracker,
    **{key: _base_.model[key] for key in _base_.model if key == "feature_cache_mb"},
)
