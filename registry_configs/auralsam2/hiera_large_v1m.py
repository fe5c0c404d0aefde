"""AuralSAM2 as published on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../_base_/published.py", "../_base_/datasets/avsbench_v1m.py"]
