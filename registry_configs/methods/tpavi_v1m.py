"""AVSBench's network (TPAVI) on ResNet-50 at 224 px, AVSBench V1M, with its authors' recipe."""

_base_ = ["../_base_/datasets/avsbench_v1m.py", "../_base_/runtime.py"]

model = dict(
    type="TPAVINetwork",
    # torchvision's ImageNet weights; None trains from the start.
    image_encoder=dict(
        type="ResNetStages", kind="resnet50", weights="weights/resnet50-0676ba61.pth"
    ),
    audio_encoder=dict(type="VGGish", weights="weights/vggish-10086976.pth", channels="mean"),
    fusion=dict(type="TPAVIFusion", zero_init=True),
    mask_loss=dict(type="BinaryMaskLoss"),
    channels=256,
    dilations=(3, 6, 12, 18),
    matching_weight=0.5,
    output_stride=1,
)

data = dict(image_size=224, batch_size=4, train=dict(transforms=[]))

optim = dict(
    optimizer=dict(type="Adam", lr=1e-4),
    epochs=30,
    # A constant rate.
    power=0.0,
    amp=None,
    accumulate=1,
    clip_grad=None,
)
