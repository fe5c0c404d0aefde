"""How much does a corrective click help, with sound and without?

AuralSAM2, SAM2 that hears nothing, and a rival whose image encoder hears, which must encode anew for
clicks without sound. Without its sound AuralSAM2 is SAM2: the two lines say so.
"""

base = "auralsam2/mini_v1m"
title = "A person's clicks beside the sound"

axes = dict(
    method=[
        dict(name="SAM2", config="methods/unprompted_mini_v1m", set={}),
        dict(name="SAMA-AVS", config="methods/sama_avs_mini_v1m", set={}),
        dict(name="AuralSAM2", set={}),
    ]
)
overrides = {"evaluation.clicks": 3}
seeds = [0, 1]
reference = "AuralSAM2"
