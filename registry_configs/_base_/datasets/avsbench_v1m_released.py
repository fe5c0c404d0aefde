"""AVSBench V1M read as the authors' code reads it."""

_base_ = ["./avsbench_v1m.py"]

_read = dict(audio_rule="released", label_rule="released")
_test = dict(**_read, frame_interpolation="bicubic")

data = dict(
    train=dict(
        **_read,
        mask_interpolation="bilinear",
        # Its colour jitter computes an image and throws it away.
        transforms=[
            dict(type="RandomClipFlip"),
            dict(type="RandomClipAffine"),
            dict(type="RandomClipGrey"),
        ],
    ),
    val=dict(**_test),
    test=dict(test=dict(**_test), test_audio_swapped=dict(dataset=dict(**_test))),
)
