"""How does AuralSAM2 stand against other ways to let a SAM2 segment what is heard?

Every method is built around the same embedded sam2-mini (but TPAVI's network and AVSegFormer, which
have no SAM2) and sees the same clips in the same schedule. A method stands as published and, where
its release computes something else at this size, as released. The lines of people's prompts and of
no prompt say what is there to be won.
"""

from registry_configs.grids.released_switches_mini import _everything as _released

base = "auralsam2/mini_v1m"
title = "Audio-visual segmentation with SAM2: methods"

_human = "methods/prompted_mini_v1m"

axes = dict(
    method=[
        dict(name="human boxes", config=_human, set={}),
        dict(name="human clicks", config=_human, set={"model.prompt": "click"}),
        dict(name="human masks", config=_human, set={"model.prompt": "mask"}),
        dict(name="no prompt", config="methods/unprompted_mini_v1m", set={}),
        dict(name="GAVS", config="methods/gavs_mini_v1m", set={}),
        dict(name="GAVS, as released", config="methods/released/gavs_mini_v1m", set={}),
        dict(name="SAMA-AVS", config="methods/sama_avs_mini_v1m", set={}),
        dict(name="SAMA-AVS, as released", config="methods/released/sama_avs_mini_v1m", set={}),
        dict(name="AV-SAM, after its abstract", config="methods/av_sam_mini_v1m", set={}),
        dict(name="translated prompts", config="methods/translated_mini_v1m", set={}),
        dict(name="AL-Ref-SAM2's rule", config="methods/al_ref_sam2_mini_v1m", set={}),
        dict(name="SAM4AVS' rule", config="methods/sam4avs_mini_v1m", set={}),
        dict(name="TPAVI network", config="methods/tpavi_mini_v1m", set={}),
        dict(name="TPAVI network, as released", config="methods/released/tpavi_mini_v1m", set={}),
        dict(name="AVSegFormer", config="methods/avsegformer_mini_v1m", set={}),
        dict(
            name="AVSegFormer, as released", config="methods/released/avsegformer_mini_v1m", set={}
        ),
        dict(name="AuralSAM2", set={}),
        dict(name="AuralSAM2, as released", set=_released),
    ]
)
overrides = {"evaluation.counterfactuals": ["silence", "swapped"]}
seeds = [0, 1]
reference = "AuralSAM2"
