"""How much self-attention does each stream need before it meets the other?

Published are 3, 6 and 12 visual blocks from the finest level to the coarsest, and 3 audio blocks a
level, the mini config has one block of each; one of the two is varied at a time.
"""

base = "auralsam2/published/v1m"
title = "Depth of self-attention"

mode = "one_at_a_time"
axes = {
    "model.visual_depths": [(3, 6, 12), (0, 0, 0), (1, 2, 4), (7, 7, 7), (12, 6, 3)],
    "model.audio_depth": [3, 0, 1, 6],
}
seeds = [0, 1, 2]
bases = {
    "auralsam2/mini_v1m": dict(
        axes={
            "model.visual_depths": [(1, 1, 1), (0, 0, 0), (0, 1, 2), (2, 1, 0), (2, 2, 2)],
            "model.audio_depth": [1, 0, 2],
        },
        seeds=[0, 1],
    )
}
