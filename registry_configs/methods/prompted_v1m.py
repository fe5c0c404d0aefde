"""SAM2 prompted from the truth with a box an object, AVSBench V1M: the upper line."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="PromptedSAM2",
    backbone=_base_.model.backbone,
    prompt="box",
    prompted_frames="every",
    jitter=0.05,
    seed=0,
    **{key: _base_.model[key] for key in _base_.model if key == "feature_cache_mb"},
)
