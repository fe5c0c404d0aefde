"""What the AuralSAM2 paper (arXiv 2506.01015) asserts in sections 1, 3 and 4, for its grids.

Judged are folders that are called as the shipped grids are, of real size or small:

    auralsam2 run-grid prompts; auralsam2 run-grid pyramid; ...
    auralsam2 check-claims work_dirs --claims auralsam2

Sentences are ours; none is a quotation, and no number is the paper's. ``inferred`` marks what the
paper's design implies and what we did not find asserted in these words. A claim without a margin
asserts a direction alone. Grids of real size need ``--set evaluation.counterfactuals='["swapped",
"silence"]'`` for what is claimed of other sounds, ``methods`` also ``evaluation.clicks=3`` for clicks.
"""

title = "Claims of the AuralSAM2 paper"

_intro, _method, _experiments = "section 1", "section 3", "section 4"
_prompts = dict(grids=["prompts*", "demo*"])
_pyramid = dict(grids="pyramid*")
_loss = dict(grids="contrastive*")
_injection = dict(grids="injection*")
_fusion = dict(grids="fusion*")
_methods = dict(grids=["methods", "methods_v1m*", "methods_mini*"])
_text = dict(grids="text*")


def _beats(sentence: str, cell: str, other: str, **more: object) -> dict:
    return dict(type="Beats", sentence=sentence, cell=cell, other=other, **more)


claims = [
    # Section 1: what is wrong with earlier ways, and what this one promises.
    _beats(
        "Audio prompts let a frozen SAM2 segment what sounds",
        "sparse+dense",
        "none",
        source=_intro,
        **_prompts,
    ),
    dict(
        type="ListensBy",
        sentence="The masks follow the sound: with another clip's they are worse",
        source=_intro,
        inferred=True,
        cell="sparse+dense",
        **_prompts,
    ),
    _beats(
        "A prompt that enters the decoder once is diluted: injected at every site it is worth more",
        "all sites, coarse to fine",
        "block 1 alone",
        source=_intro,
        **_injection,
    ),
    _beats(
        "An external fuser segments what sounds better than a single audio token",
        "AuralSAM2",
        "GAVS",
        source=_intro,
        inferred=True,
        **_methods,
    ),
    _beats(
        "It does better than adapters that inject audio into the image encoder",
        "AuralSAM2",
        "SAMA-AVS",
        source=_intro,
        **_methods,
    ),
    _beats(
        "SAM2 stays promptable: clicks beside the sound improve the masks",
        "AuralSAM2",
        "AuralSAM2",
        split="test_clicks_3",
        other_split="test_clicks_0",
        source=_intro,
        inferred=True,
        grids=["clicks*", "methods"],
    ),
    # Section 3: what each part of the method is for.
    dict(
        type="Monotone",
        sentence="Every level of the pyramid that hears adds to the masks",
        source=f"{_method}.2",
        cells=["1 level, one each", "2 levels, one each", "3 levels"],
        **_pyramid,
    ),
    _beats(
        "The gain is the pyramid's and not that of injecting more often",
        "3 levels",
        "1 level, last one repeated",
        source=f"{_method}.2",
        inferred=True,
        **_pyramid,
    ),
    _beats(
        "Audio and vision are better fused in both directions than into vision alone",
        "TwoWayTPAVIFusion",
        "TPAVIFusion",
        source=f"{_method}.2",
        inferred=True,
        **_fusion,
    ),
    _beats(
        "Levels enter the decoder better from the coarsest to the finest than the other way round",
        "all sites, coarse to fine",
        "fine to coarse",
        source=f"{_method}.3",
        inferred=True,
        **_injection,
    ),
    _beats(
        "AudioCon aligns sound and pixels so that masks improve",
        "AudioCon, published",
        "none",
        source=_method,
        **_loss,
    ),
    # Section 4: comparisons and ablations.
    _beats(
        "Sparse and dense prompts together beat sparse ones alone",
        "sparse+dense",
        "sparse",
        source=_experiments,
        **_prompts,
    ),
    _beats(
        "Sparse and dense prompts together beat dense ones alone",
        "sparse+dense",
        "dense",
        source=_experiments,
        **_prompts,
    ),
    _beats(
        "AudioCon beats InfoNCE", "AudioCon, published", "InfoNCE", source=_experiments, **_loss
    ),
    _beats(
        "Every level at its own site beats the coarsest level at every site",
        "all sites, coarse to fine",
        "coarsest level at every site",
        source=_experiments,
        inferred=True,
        **_injection,
    ),
    *(
        _beats(
            f"AuralSAM2 beats {_name}, on V1M",
            "AuralSAM2",
            _name,
            source=_experiments,
            inferred=_name.startswith("TPAVI"),
            grids="methods",
        )
        for _name in ("TPAVI, PVT-v2-b5", "AVSegFormer, PVT-v2-b5")
    ),
    _beats(
        "The referring expression adds to the sound",
        "on",
        "off",
        split="mix",
        source=_experiments,
        inferred=True,
        **_text,
    ),
]
