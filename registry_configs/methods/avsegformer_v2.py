"""AVSegFormer as published, PVT v2 b5 at 224 px, AVSBench V2 with its 71 classes."""

_base_ = ["./avsegformer_v1m.py"]

_v2 = dict(subset=("v1s", "v1m", "v2"), semantic=True)

model = dict(num_classes=71, mask_loss=dict(_delete_=True, type="SemanticMaskLoss"))

data = dict(
    image_size=224,
    # Clips have five or ten frames: four of them make a step one after another.
    batch_size=1,
    train=_v2,
    val=_v2,
    test=dict(test=_v2, test_audio_swapped=dict(dataset=_v2)),
)

optim = dict(epochs=30, accumulate=4)

evaluation = dict(
    metrics=[dict(type="MeanIoUMetric"), dict(type="ClassFScoreMetric")],
    select_by="mIoU",
    every=2,
)

runtime = dict(hooks=[])
