"""SAMA-AVS as published, with its authors' recipe, on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="SAMAAVS",
    backbone=_base_.model.backbone,
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    mask_loss=dict(type="BinaryMaskLoss", iou_weight=1.0),
    # What the encoder computes of a clip's five frames takes some 27 GB to keep.
    gradient_checkpointing=True,
)
# The authors' step is two single frames on each of two GPUs; here it is the five of one clip.
data = dict(batch_size=1, train=dict(transforms=[]))
optim = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=2e-4, weight_decay=0.01),
    epochs=80,
    cosine_to=1e-7,
    amp=None,
    accumulate=1,
)
