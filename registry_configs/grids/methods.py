"""How does AuralSAM2 stand against other methods, each trained as its authors train it?

At real size on AVSBench V1M. A method stands as published and as released, with its own recipe:
protocols differ, so give the scores of one column of ``eval-protocols``. AL-Ref-SAM2 and SAM4AVS
train nothing and read files of names and boxes.
"""

base = "auralsam2/published/v1m"
title = "Audio-visual segmentation, AVSBench V1M: methods"

_both = {
    "GAVS": "gavs_v1m",
    "SAMA-AVS": "sama_avs_v1m",
    "TPAVI, ResNet-50": "tpavi_v1m",
    "TPAVI, PVT-v2-b5": "tpavi_pvt_v1m",
    "AVSegFormer, ResNet-50": "avsegformer_r50_v1m",
    "AVSegFormer, PVT-v2-b5": "avsegformer_v1m",
}
_one = {
    "human boxes": "prompted_v1m",
    "no prompt": "unprompted_v1m",
    "AV-SAM, after its abstract": "av_sam_v1m",
    "AL-Ref-SAM2": "al_ref_sam2_v1m",
    "SAM4AVS": "sam4avs_v1m",
}

axes = dict(
    method=[
        *(dict(name=name, config=f"methods/{config}", set={}) for name, config in _one.items()),
        *(
            dict(name=f"{name}{note}", config=f"methods/{folder}{config}", set={})
            for name, config in _both.items()
            for note, folder in (("", ""), (", as released", "released/"))
        ),
        dict(name="AuralSAM2", set={}),
        dict(name="AuralSAM2, as released", config="auralsam2/released/v1m", set={}),
    ]
)
seeds = [0, 1, 2]
reference = "AuralSAM2"
