"""Audio adapters in the image encoder (SAMA-AVS), AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="AdapterSAM2",
    backbone=_base_.model.backbone,
    audio_encoder=_base_.model.audio_encoder,
    # As in the paper, every frame is an image.
    tracker=dict(type="MemoryTracker", use_memory=False),
    mask_loss=_base_.model.mask_loss,
    stages=(1, 2, 3, 4),
    hidden_channels=32,
    trained_parts=("sam_mask_decoder",),
)
