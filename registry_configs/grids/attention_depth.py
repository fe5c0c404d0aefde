"""How much self-attention does each stream need before it meets the other?

Published are 3, 6 and 12 visual blocks from the finest level to the coarsest, and 3 audio blocks a
level; one of the two is varied at a time.
"""

base = "auralsam2/published/v1m"
title = "Depth of self-attention"

mode = "one_at_a_time"
axes = {
    "model.visual_depths": [(3, 6, 12), (0, 0, 0), (1, 2, 4), (7, 7, 7), (12, 6, 3)],
    "model.audio_depth": [3, 0, 1, 6],
}
seeds = [0, 1, 2]
