"""How much self-attention does each stream need before it meets the other?

The mini config has one block of each kind a level; one of the two is varied at a time.
"""

base = "auralsam2/mini_v1m"
title = "Depth of self-attention"

mode = "one_at_a_time"
axes = {
    "model.visual_depths": [(1, 1, 1), (0, 0, 0), (0, 1, 2), (2, 1, 0), (2, 2, 2)],
    "model.audio_depth": [1, 0, 2],
}
seeds = [0, 1]
