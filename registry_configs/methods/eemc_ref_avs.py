"""EEMC on SAM 2.0 Hiera large with the authors' recipe, Ref-AVS: cues as prompt tokens."""

_base_ = ["../auralsam2/published/ref_avs.py"]

model = dict(
    _delete_=True,
    type="EEMC",
    backbone=_base_.model.backbone,
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    text_encoder=_base_.model.text_encoder,
    mask_loss=dict(type="BinaryMaskLoss", loss_size=256),
)
data = dict(batch_size=2, train=dict(transforms=[]))
optim = dict(
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=0.01),
    epochs=50,
    # A constant rate.
    power=0.0,
    amp=None,
    accumulate=1,
)
