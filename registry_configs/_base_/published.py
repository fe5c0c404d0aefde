"""AuralSAM2 as published on SAM 2.0 Hiera large, all but the data."""

_base_ = ["./models/auralsam2.py", "./schedules/published.py", "./runtime.py"]
