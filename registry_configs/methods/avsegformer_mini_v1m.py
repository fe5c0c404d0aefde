"""AVSegFormer on a thin ResNet-18, from random weights: minutes on two CPU cores."""

_base_ = ["../auralsam2/mini_v1m.py"]

model = dict(
    _delete_=True,
    type="AVSegFormer",
    image_encoder=dict(type="ResNetStages", kind="resnet18", width=8),
    audio_encoder=dict(**_base_.model.audio_encoder, channels="mean"),
    mask_loss=dict(type="SquaredDiceLoss"),
    mixer_loss=dict(type="SquaredDiceLoss", weight=0.1),
    channels=64,
    num_queries=16,
    num_layers=(2, 2, 2),
    num_heads=4,
    hidden_channels=128,
    map_channels=64,
    head_channels=(32, 16),
    # Logits of half the side.
    enlargement=2,
    dropout=0.0,
)
