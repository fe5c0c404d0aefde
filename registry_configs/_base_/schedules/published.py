"""AdamW and a polynomial schedule as published; four clips a step by accumulation."""

optim = dict(
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=0.05, betas=(0.9, 0.999)),
    epochs=80,
    power=0.9,
    amp="bfloat16",
    accumulate=4,
    clip_grad=None,
    warmup=0,
)
