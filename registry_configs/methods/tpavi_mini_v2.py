"""AVSBench's network (TPAVI) on the classes of synthetic clips in the V2 layout, a thin ResNet-18."""

_base_ = ["./tpavi_mini_v1m.py"]

model = dict(
    # Of the synthetic clips, the background included.
    num_classes=13,
    align_bias=False,
    mask_loss=dict(_delete_=True, type="SemanticMaskLoss", loss_size=64),
)

_v2 = dict(subset="v2", semantic=True)

data = dict(
    root="work_dirs/synthetic/v2",
    # As many frames a step as four clips of V1M.
    batch_size=2,
    train=_v2,
    val=_v2,
    test=dict(test=_v2, test_audio_swapped=dict(dataset=_v2)),
)

evaluation = dict(
    metrics=[
        dict(type="MeanIoUMetric"),
        dict(type="ClassFScoreMetric"),
        dict(type="JaccardMetric"),
        dict(type="FScoreMetric"),
    ],
    select_by="mIoU",
)
