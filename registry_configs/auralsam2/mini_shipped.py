"""What made the shipped auralsam2-mini: mini_v1m on ten times the clips of the demo, for longer."""

_base_ = ["./mini_v1m.py"]

model = dict(feature_cache_mb=4096)

data = dict(root="work_dirs/auralsam2-mini/data")

optim = dict(epochs=8)
