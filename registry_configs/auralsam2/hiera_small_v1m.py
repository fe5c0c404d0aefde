"""AuralSAM2 as published on SAM 2.0 Hiera small, AVSBench V1M."""

_base_ = ["../_base_/published.py", "../_base_/datasets/avsbench_v1m.py"]

model = dict(backbone=dict(size="small", checkpoint="weights/sam2_hiera_small.pt"))
