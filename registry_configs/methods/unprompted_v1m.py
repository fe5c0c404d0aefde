"""SAM2 without any prompt, SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="UnpromptedSAM2",
    backbone=_base_.model.backbone,
    tracker=_base_.model.tracker,
)
