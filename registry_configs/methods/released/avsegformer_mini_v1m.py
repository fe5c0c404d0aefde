"""AVSegFormer as released, on a thin ResNet-18: frames whose truth is empty teach nothing."""

_base_ = ["../avsegformer_mini_v1m.py"]

model = dict(mask_loss=dict(ignore_empty=True), mixer_loss=dict(ignore_empty=True))
