"""AuralSAM2 as the authors released it, defects included, on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../../_base_/released.py", "../../_base_/datasets/avsbench_v1m.py"]

data = _base_._avsbench
optim = dict(epochs=140)
