"""AVSBench's network (TPAVI) as its authors released it, defects included, AVSBench V1M."""

_base_ = ["../tpavi_v1m.py"]

model = dict(
    inplace_relu=True,
    # Over the frames of a batch: four clips of five weigh twenty times their mean.
    matching_reduction="sum_over_frames",
    unused_parameters=True,
)

# Log-mels of windows of 0.96 s, one behind the other; the last one is repeated.
_read = dict(audio_rule="released")

data = dict(train=_read, val=_read, test=dict(test=_read, test_audio_swapped=dict(dataset=_read)))
