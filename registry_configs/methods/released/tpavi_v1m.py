"""AVSBench's network (TPAVI) as its authors released it, defects included, AVSBench V1M."""

_base_ = ["../tpavi_v1m.py"]

model = dict(
    inplace_relu=True,
    # Over the frames of a batch: four clips of five weigh twenty times their mean.
    matching_reduction="sum_over_frames",
    unused_parameters=True,
)
