"""EEMC on the embedded sam2-mini under the shared mini schedule, any data in the Ref-AVS layout."""

_base_ = ["../auralsam2/mini_ref_avs.py"]

model = dict(
    _delete_=True,
    type="EEMC",
    backbone=_base_.model.backbone,
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    text_encoder=_base_.model.text_encoder,
    # Half the side, as for AuralSAM2.
    mask_loss=dict(type="BinaryMaskLoss", loss_size=64),
    # An eighth of the released width; the whole map of 8 x 8.
    width=128,
    hidden_channels=256,
    map_size=8,
    feature_cache_mb=_base_.model.feature_cache_mb,
)
