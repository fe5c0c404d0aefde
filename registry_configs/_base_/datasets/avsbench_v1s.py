"""AVSBench V1S (single source): in training only the first frame of a clip has a label."""

_base_ = ["./avsbench_v1m.py"]

_v1s = dict(subset="v1s")

data = dict(train=_v1s, val=_v1s, test=dict(test=_v1s, test_audio_swapped=dict(dataset=_v1s)))
