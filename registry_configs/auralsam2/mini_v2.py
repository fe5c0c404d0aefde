"""AuralSAM2 on the embedded sam2-mini, any data in the V2 layout: ten frames a clip."""

_base_ = [
    "../_base_/models/auralsam2_mini.py",
    "../_base_/datasets/avsbench_v2.py",
    "../_base_/schedules/mini.py",
    "../_base_/runtime.py",
]

# The clips of ten frames alone; with those of V1S and V1M in the same root, leave this out.
_v2 = dict(subset="v2")

data = dict(
    root="work_dirs/synthetic/v2",
    image_size=128,
    # As many frames a step as four clips of V1M.
    batch_size=2,
    num_workers=0,
    # Frames that do not change are encoded once, see `feature_cache_mb`.
    train=dict(**_v2, transforms=[]),
    val=dict(**_v2),
    test=dict(test=dict(**_v2), test_audio_swapped=dict(dataset=dict(**_v2))),
)
