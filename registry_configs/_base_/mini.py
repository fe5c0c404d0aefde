"""AuralSAM2 on the embedded sam2-mini, minutes on two CPU cores: all but the data."""

_base_ = ["./models/auralsam2_mini.py", "./schedules/mini.py", "./runtime.py"]

# What leaves set of their data; frames that do not change are encoded once, see `feature_cache_mb`.
_small = dict(image_size=128, num_workers=0, train=dict(transforms=[]))
