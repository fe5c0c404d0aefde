"""AVSegFormer as published, PVT v2 b5 at 512 px, AVSBench V1S: of clips, the first frame."""

_base_ = ["./avsegformer_v1m.py"]

data = dict(
    train=dict(subset="v1s"),
    val=dict(subset="v1s"),
    test=dict(
        test=dict(subset="v1s"),
        test_audio_swapped=dict(dataset=dict(subset="v1s")),
    ),
)

optim = dict(epochs=30)

runtime = dict(hooks=[dict(type="FreezeHook", part="image_encoder", epochs=5)])
