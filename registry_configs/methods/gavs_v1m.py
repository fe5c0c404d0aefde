"""GAVS as published, with its authors' recipe, on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="GAVS",
    backbone=_base_.model.backbone,
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    mask_loss=dict(type="BinaryMaskLoss", loss_size="native"),
)
data = dict(batch_size=1, train=dict(transforms=[]))
# A constant rate; the frames of one clip are a step.
optim = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.01),
    epochs=60,
    power=0.0,
    amp=None,
    accumulate=1,
)
