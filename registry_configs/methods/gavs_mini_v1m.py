"""GAVS on the embedded sam2-mini, in the schedule of all small configs."""

_base_ = ["../auralsam2/mini_v1m.py"]

model = dict(
    _delete_=True,
    type="GAVS",
    backbone=_base_.model.backbone,
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    mask_loss=dict(type="BinaryMaskLoss", loss_size="native"),
)
