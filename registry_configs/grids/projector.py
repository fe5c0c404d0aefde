"""How much projector does the contrastive space need? Layers, width, and the released heads.

One thing is varied at a time around the published projector of three layers and width 64.
"""

base = "auralsam2/published/v1m"
title = "Projector"

axes = {
    "model.projector.num_layers": [3, 1, 2],
    "model.projector.out_channels": [64, 16, 128],
}
mode = "one_at_a_time"
cells = [
    dict(name="released, AVSBench", set={"model.projector": dict(type="ReleasedConvProjector")}),
    dict(name="released, Ref-AVS", set={"model.projector": dict(type="ReleasedRefProjector")}),
]
seeds = [0, 1, 2]
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
