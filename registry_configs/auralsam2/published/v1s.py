"""AuralSAM2 as published on SAM 2.0 Hiera large, AVSBench V1S."""

_base_ = ["../../_base_/published.py", "../../_base_/datasets/avsbench_v1s.py"]

optim = dict(epochs=140)
