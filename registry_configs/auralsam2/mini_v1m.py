"""AuralSAM2 on the embedded sam2-mini, any data in the V1M layout: minutes on two CPU cores."""

_base_ = [
    "../_base_/models/auralsam2_mini.py",
    "../_base_/datasets/avsbench_v1m.py",
    "../_base_/schedules/mini.py",
    "../_base_/runtime.py",
]

data = dict(
    root="work_dirs/demo/data",
    image_size=128,
    batch_size=4,
    num_workers=0,
    # Frames that do not change are encoded once, see `feature_cache_mb`.
    train=dict(transforms=[]),
)
