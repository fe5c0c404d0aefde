"""AuralSAM2 on the embedded sam2-mini, any data in the V2 layout: ten frames a clip."""

_base_ = ["../_base_/mini.py", "../_base_/datasets/avsbench_v2.py"]

# The clips of ten frames alone; with those of V1S and V1M in the same root, leave this out.
_v2 = dict(subset="v2")

data = dict(
    **{**_base_._small, "train": dict(**_base_._small.train, **_v2)},
    root="work_dirs/synthetic/v2",
    # As many frames a step as four clips of V1M.
    batch_size=2,
    val=_v2,
    test=dict(test=_v2, test_audio_swapped=dict(dataset=_v2)),
)
