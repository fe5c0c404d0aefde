"""SAMA-AVS as its authors released it, defects included, on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../sama_avs_v1m.py"]

model = dict(random_position_code=True, random_no_mask=True)
# Thresholds of F meet raw logits, at the size that the model reads.
evaluation = dict(
    metrics=[
        dict(type="JaccardMetric", size=1024),
        dict(type="FScoreMetric", size=1024, predictions="logits"),
    ]
)
