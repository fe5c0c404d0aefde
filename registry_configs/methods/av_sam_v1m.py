"""Audio and image fused pixel by pixel, after the abstract of AV-SAM; AVSBench V1M.

Nothing is known of how AV-SAM was trained: schedule and augmentation are AuralSAM2's.
"""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="AVSAM",
    backbone=_base_.model.backbone,
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    mask_loss=dict(type="BinaryMaskLoss", dice_weight=1.0),
    trained_parts=("sam_mask_decoder",),
    **{key: _base_.model[key] for key in _base_.model if key == "feature_cache_mb"},
)
