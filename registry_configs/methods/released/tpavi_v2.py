"""AVSBench's network (TPAVI) for the classes of AVSBench V2 as released, defects included."""

_base_ = ["../tpavi_v2.py"]

model = dict(
    inplace_relu=True,
    # A clip of ten seconds is two halves that do not see each other.
    fused_frames=5,
    unused_parameters=True,
)

# Log-mels of windows of 0.96 s, one behind the other; those that are missing are zeros.
_read = dict(dataset=dict(audio_rule="zero_padded"))

data = dict(train=_read, val=_read, test=dict(test=_read, test_audio_swapped=dict(dataset=_read)))

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
