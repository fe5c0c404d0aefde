"""SAMA-AVS as its authors released it, defects included, on SAM 2.0 Hiera large, AVSBench V1M."""

_base_ = ["../sama_avs_v1m.py"]

model = dict(random_position_code=True, random_no_mask=True)

# Log-mels of windows of 0.96 s, one behind the other; the last one is repeated.
_read = dict(audio_rule="released")

data = dict(train=_read, val=_read, test=dict(test=_read, test_audio_swapped=dict(dataset=_read)))

# Thresholds of F meet raw logits, at the size that the model reads.
evaluation = dict(
    metrics=[
        dict(type="JaccardMetric", size=1024),
        dict(type="FScoreMetric", size=1024, predictions="logits"),
    ]
)
