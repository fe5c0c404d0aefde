"""Which audio prompts does a frozen SAM2 need? None, sparse, dense, or both."""

base = "auralsam2/published/v1m"
title = "Audio prompts of a frozen SAM2"

_off = {"model.sparse_prompt": None, "model.dense_prompt": None}

axes = dict(
    prompts=[
        # Nothing listens: without prompts the contrastive space could not reach a mask.
        dict(name="none", set={**_off, "model.contrastive_loss": None, "model.projector": None}),
        dict(name="sparse", set={"model.dense_prompt": None}),
        dict(name="dense", set={"model.sparse_prompt": None}),
        dict(name="sparse+dense", set={}),
    ]
)
seeds = [0, 1, 2]
reference = "sparse+dense"
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
