"""AVSBench's network (TPAVI) on AVSBench V1S: first frames are supervised, by one loss."""

_base_ = ["./tpavi_v1m.py"]

model = dict(matching_weight=0.0)

_v1s = dict(subset="v1s")

data = dict(train=_v1s, val=_v1s, test=dict(test=_v1s, test_audio_swapped=dict(dataset=_v1s)))

optim = dict(epochs=15)
