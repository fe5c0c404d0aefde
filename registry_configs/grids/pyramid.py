"""How many levels of SAM2's pyramid should hear? One, two or three, from the coarsest on.

Fewer levels also mean fewer injections into the mask decoder. The cells that repeat the last level
inject at all three sites, so that the two effects can be told apart.
"""

base = "auralsam2/published/v1m"
title = "Levels of the pyramid"

axes = dict(
    levels=[
        dict(name="1 level", set={"model.pyramid.num_levels": 1}),
        dict(name="2 levels", set={"model.pyramid.num_levels": 2}),
        dict(name="3 levels", set={"model.pyramid.num_levels": 3}),
    ],
    injections=[
        dict(name="one each", set={"model.injection.repeat_last": False}),
        dict(name="last one repeated", set={"model.injection.repeat_last": True}),
    ],
)
# Three levels already fill the three sites.
when = dict(injections=dict(levels=["1 level", "2 levels"]))
seeds = [0, 1, 2]
reference = "3 levels"
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
