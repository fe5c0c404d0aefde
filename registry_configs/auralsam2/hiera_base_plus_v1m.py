"""AuralSAM2 as published on SAM 2.0 Hiera base_plus, AVSBench V1M."""

_base_ = ["../_base_/published.py", "../_base_/datasets/avsbench_v1m.py"]

model = dict(backbone=dict(size="base_plus", checkpoint="weights/sam2_hiera_base_plus.pt"))
