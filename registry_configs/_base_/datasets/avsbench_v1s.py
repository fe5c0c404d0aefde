"""AVSBench V1S (single source): in training only the first frame of a clip has a label."""

_base_ = ["./avsbench_v1m.py"]

data = dict(
    train=dict(subset="v1s"),
    val=dict(subset="v1s"),
    test=dict(
        test=dict(subset="v1s"),
        test_audio_swapped=dict(dataset=dict(subset="v1s")),
    ),
)
