"""What does the backbone bring? Resolution of sam2-mini, and its training against random weights.

Sizes of SAM2 cannot be compared without downloaded weights: that is the grid of real size. What can
be varied here is the side of the input (which sam2-mini has seen at 128 px only) and whether the
frozen backbone has learned anything at all.
"""

base = "auralsam2/mini_v1m"
title = "The embedded backbone"

axes = dict(
    backbone=[
        dict(name="sam2-mini, 64 px", set={"data.image_size": 64}),
        dict(name="sam2-mini, 96 px", set={"data.image_size": 96}),
        dict(name="sam2-mini, 128 px", set={}),
        dict(name="sam2-mini, 192 px", set={"data.image_size": 192}),
        dict(
            name="random weights, 128 px",
            set={
                "model.backbone": dict(
                    type="SAM2Backbone", size="mini", version="2.1", random_weights=True
                )
            },
        ),
    ]
)
seeds = [0, 1]
reference = "sam2-mini, 128 px"
