"""AVSegFormer as released, AVSBench V2: of frames without an object the mixer learns nothing."""

_base_ = ["../avsegformer_v2.py"]

model = dict(mixer_loss=dict(ignore_empty=True))
