"""AVSBench V2 as AuralSAM2 scores it: class-agnostic, V1S, V1M and V2 clips together."""

_base_ = ["./avsbench_v1m.py"]

_v2 = dict(subset=("v1s", "v1m", "v2"))

data = dict(train=_v2, val=_v2, test=dict(test=_v2, test_audio_swapped=dict(dataset=_v2)))
