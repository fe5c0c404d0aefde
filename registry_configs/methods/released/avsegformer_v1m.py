"""AVSegFormer as released, AVSBench V1M: frames whose truth is empty teach nothing."""

_base_ = ["../avsegformer_v1m.py"]

model = dict(mask_loss=dict(ignore_empty=True), mixer_loss=dict(ignore_empty=True))
