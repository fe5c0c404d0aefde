"""AuralSAM2 as published on SAM 2.0 Hiera large, AVSBench V2."""

_base_ = ["../../_base_/published.py", "../../_base_/datasets/avsbench_v2.py"]

optim = dict(epochs=90)
