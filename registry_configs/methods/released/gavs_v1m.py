"""GAVS as its authors released it, defects included, on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../gavs_v1m.py"]

model = dict(noise="replace", bgr_frames=True, padded_frames=True, first_truth_for_all=True)
evaluation = dict(metrics=[dict(type="JaccardMetric", threshold=0.4), dict(type="FScoreMetric")])
