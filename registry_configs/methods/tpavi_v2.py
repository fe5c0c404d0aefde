"""AVSBench's network (TPAVI) on AVSBench V2 with its 71 classes (AVSS), its authors' recipe."""

_base_ = ["./tpavi_v1m.py"]

model = dict(
    num_classes=71,
    align_bias=False,
    mask_loss=dict(_delete_=True, type="SemanticMaskLoss"),
)

# Clips of five frames are filled up to ten, so that four clips of any subset are a batch.
_node = dict(type="AVSBenchDataset", subset=("v1s", "v1m", "v2"), semantic=True)
_padded = dict(_delete_=True, type="PaddedClips", num_frames=10)

data = dict(
    train=dict(**_padded, dataset=dict(**_node, split="train")),
    val=dict(**_padded, dataset=dict(**_node, split="val")),
    test=dict(
        test=dict(**_padded, dataset=dict(**_node, split="test")),
        test_audio_swapped=dict(dataset=dict(**_padded, dataset=dict(**_node, split="test"))),
    ),
)

optim = dict(epochs=60)

# Masks are scored too: all classes but the background are one object.
evaluation = dict(
    metrics=[
        dict(type="MeanIoUMetric"),
        dict(type="ClassFScoreMetric"),
        dict(type="JaccardMetric"),
        dict(type="FScoreMetric"),
    ],
    select_by="mIoU",
)
