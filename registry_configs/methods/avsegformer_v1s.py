"""AVSegFormer as published, PVT v2 b5 at 512 px, AVSBench V1S: of clips, the first frame."""

_base_ = ["./avsegformer_v1m.py"]

_v1s = dict(subset="v1s")

data = dict(train=_v1s, val=_v1s, test=dict(test=_v1s, test_audio_swapped=dict(dataset=_v1s)))

optim = dict(epochs=30)

runtime = dict(hooks=[dict(type="FreezeHook", part="image_encoder", epochs=5)])
