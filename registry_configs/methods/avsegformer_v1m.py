"""AVSegFormer as published, PVT v2 b5 at 512 px, AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="AVSegFormer",
    # The authors' ImageNet weights; None trains from the start.
    image_encoder=dict(
        type="PVTv2Stages", weights="weights/pvt_v2_b5.pth", gradient_checkpointing=True
    ),
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    mask_loss=dict(type="SquaredDiceLoss"),
    mixer_loss=dict(type="SquaredDiceLoss", weight=0.1),
    # Without it, here and in the image encoder, a step wants some 50 GB.
    gradient_checkpointing=True,
)

data = dict(image_size=512, batch_size=2, train=dict(transforms=[]))

optim = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=2e-5, weight_decay=0.01),
    epochs=60,
    # A constant rate.
    power=0.0,
    amp=None,
    accumulate=1,
)

runtime = dict(hooks=[dict(type="FreezeHook", part="image_encoder", epochs=10)])
