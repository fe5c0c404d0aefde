"""AVSBench's network as in its paper, ResNet-50 at 224 px, AVSBench V1M."""

_base_ = ["../auralsam2/published/v1m.py"]

model = dict(
    _delete_=True,
    type="TPAVINetwork",
    audio_encoder=_base_.model.audio_encoder,
    fusion=dict(type="TPAVIFusion", zero_init=True),
    mask_loss=dict(type="BinaryMaskLoss"),
    # torchvision's ImageNet weights; None trains from the start.
    image_encoder=dict(
        type="ResNetStages", kind="resnet50", weights="weights/resnet50-0676ba61.pth"
    ),
    channels=256,
    dilations=(3, 6, 12, 18),
    # As in the paper for several sources.
    matching_weight=0.5,
    output_stride=1,
)

data = dict(image_size=224, batch_size=4, train=dict(transforms=[]))

optim = dict(
    optimizer=dict(_delete_=True, type="Adam", lr=1e-4),
    epochs=30,
    # A constant rate.
    power=0.0,
    amp=None,
    accumulate=1,
)
