"""A few epochs on two CPU cores, for the embedded sam2-mini on small data."""

_base_ = ["./published.py"]

optim = dict(optimizer=dict(lr=1e-3), epochs=5, amp=None, accumulate=1, clip_grad=1.0, warmup=20)
