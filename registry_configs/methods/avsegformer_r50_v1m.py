"""AVSegFormer as published on ResNet-50, AVSBench V1M."""

_base_ = ["./avsegformer_v1m.py"]

model = dict(
    # torchvision's ImageNet weights; None trains from the start.
    image_encoder=dict(
        _delete_=True, type="ResNetStages", kind="resnet50", weights="weights/resnet50-0676ba61.pth"
    ),
)
