"""How does AuralSAM2 stand where an expression says which of the things that sound is meant?

The baseline of Ref-AVS reads sound and expression as AuralSAM2 does, as published and with the
defects of its release; people's boxes and no prompt say what is there to be won.
"""

base = "auralsam2/mini_ref_avs"
title = "Referring audio-visual segmentation with SAM2: methods"

axes = dict(
    method=[
        dict(name="human boxes", config="methods/prompted_mini_ref_avs", set={}),
        dict(name="no prompt", config="methods/unprompted_mini_ref_avs", set={}),
        dict(name="EEMC", config="methods/eemc_mini_ref_avs", set={}),
        dict(name="EEMC as released", config="methods/released/eemc_mini_ref_avs", set={}),
        dict(name="AuralSAM2", set={}),
    ]
)
overrides = {"evaluation.counterfactuals": ["silence", "swapped"]}
seeds = [0, 1]
reference = "AuralSAM2"
