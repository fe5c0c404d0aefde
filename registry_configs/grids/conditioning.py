"""Which frame should a clip's memory start from, in training and in test? And does memory help?

Published is the middle frame in training and the first one in test.
"""

base = "auralsam2/published/v1m"
title = "Conditioning frame"

mode = "paired"
axes = dict(
    train=[
        dict(name=f"train {_frame}", set={"model.tracker.train_conditioning": _frame})
        for _frame in ("middle", "middle", "first", "first", "last")
    ],
    test=[
        dict(name=f"test {_frame}", set={"model.tracker.test_conditioning": _frame})
        for _frame in ("first", "middle", "first", "middle", "last")
    ],
)
cells = [dict(name="no memory", set={"model.tracker.use_memory": False})]
seeds = [0, 1, 2]
reference = "train middle, test first"
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
