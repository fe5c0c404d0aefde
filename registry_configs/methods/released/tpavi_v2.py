"""AVSBench's network (TPAVI) for the classes of AVSBench V2 as released, defects included."""

_base_ = ["../tpavi_v2.py"]

model = dict(
    inplace_relu=True,
    # A clip of ten seconds is two halves that do not see each other.
    fused_frames=5,
    unused_parameters=True,
)

# Padding counts as background that was found.
evaluation = dict(
    metrics=[
        dict(type="MeanIoUMetric", size=224, padded_to=10),
        dict(type="ClassFScoreMetric", size=224, padded_to=10),
        dict(type="JaccardMetric", size=224),
        dict(type="FScoreMetric", size=224),
    ],
    select_by="mIoU",
)
