"""The sound as a prompt token of the decoder (AV-SAM, GAVS), AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="AudioTokenSAM2",
    backbone=_base_.model.backbone,
    audio_encoder=_base_.model.audio_encoder,
    # As in the papers, every frame is an image.
    tracker=dict(type="MemoryTracker", use_memory=False),
    mask_loss=_base_.model.mask_loss,
    num_tokens=1,
    visual_context=True,
    image_fusion="pixel",
    trained_parts=("sam_mask_decoder",),
    **{key: _base_.model[key] for key in _base_.model if key == "feature_cache_mb"},
)
