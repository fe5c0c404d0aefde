"""AuralSAM2 as the authors released it, defects included, on SAM 2.0 Hiera large: all but the data.

Leaves read their splits as the authors' code does: `_train` and `_test` a split, `_avsbench` all.
"""

_base_ = ["./models/auralsam2_released.py", "./schedules/published.py", "./runtime.py"]

_read = dict(audio_rule="released", label_rule="released")
_test = dict(**_read, frame_interpolation="bicubic")
_train = dict(
    **_read,
    mask_interpolation="bilinear",
    # Its colour jitter computes an image and throws it away.
    transforms=[
        dict(type="RandomClipFlip"),
        dict(type="RandomClipAffine"),
        dict(type="RandomClipGrey"),
    ],
)
_avsbench = dict(
    train=_train, val=_test, test=dict(test=_test, test_audio_swapped=dict(dataset=_test))
)

# Masks are compared at the size that the model reads.
evaluation = dict(
    metrics=[dict(type="JaccardMetric", size=1024), dict(type="FScoreMetric", size=1024)]
)
