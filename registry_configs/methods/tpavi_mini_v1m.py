"""AVSBench's network on a thin ResNet-18, from random weights: minutes on two CPU cores."""

_base_ = ["../auralsam2/mini_v1m.py"]

model = dict(
    _delete_=True,
    type="TPAVINetwork",
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    # Sounds change within the synthetic clips, see TwoWayTPAVIFusion.
    fusion=dict(type="TPAVIFusion", scope="frame"),
    mask_loss=dict(type="BinaryMaskLoss", dice_weight=1.0, loss_size=64),
    image_encoder=dict(type="ResNetStages", kind="resnet18", width=8),
    channels=24,
    # Of very few channels the ReLU can lose all for good.
    head_channels=(12, 8),
    # Stages have sides of 32 to 4 at 128 px: wide dilations would read the border alone.
    dilations=(1, 2),
    matching_weight=0.0,
    output_stride=4,
)
