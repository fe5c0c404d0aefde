"""AuralSAM2 on the embedded sam2-mini, any data in the V1S layout: minutes on two CPU cores."""

_base_ = ["../_base_/mini.py", "../_base_/datasets/avsbench_v1s.py"]

data = dict(**_base_._small, root="work_dirs/synthetic/v1s", batch_size=4)
