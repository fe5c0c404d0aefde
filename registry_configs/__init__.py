"""Configs as data: runnable leaves, their bases and grids, found by name."""

_MINI = "auralsam2/mini_v1m"
_REF_AVS = "auralsam2/mini_ref_avs"
_GRIDS = (
    *("attention_depth", "audio_encoder", "conditioning", "contrastive", "fusion", "injection"),
    *("projector", "pyramid", "temperature", "tokens"),
)
_METHODS = ("av_sam", "prompted", "unprompted")

_PVT = "methods/tpavi_pvt_v1m"

# Below methods/: a name -> config and base.
_AVSEGFORMER = {
    "avsegformer_r50_v1s": ("avsegformer_r50_v1m", "avsegformer_v1s"),
    "avsegformer_r50_v2": ("avsegformer_r50_v1m", "avsegformer_v2"),
    **{
        f"released/avsegformer_{name}": ("released/avsegformer_v1m", f"avsegformer_{name}")
        for name in ("v1s", "r50_v1m", "r50_v1s", "mini_v1m")
    },
    "released/avsegformer_r50_v2": ("released/avsegformer_v2", "avsegformer_r50_v2"),
}

ALIASES: dict[str, tuple[str, str]] = {
    "grids/demo": ("grids/prompts", _MINI),
    **{f"grids/{name}_mini": (f"grids/{name}", _MINI) for name in _GRIDS},
    "grids/text_mini": ("grids/text", _REF_AVS),
    **{f"methods/{name}_mini_v1m": (f"methods/{name}_v1m", _MINI) for name in _METHODS},
    "methods/prompted_mini_ref_avs": ("methods/prompted_v1m", _REF_AVS),
    "methods/unprompted_mini_ref_avs": ("methods/unprompted_v1m", _REF_AVS),
    "methods/tpavi_pvt_v1s": (_PVT, "methods/tpavi_v1s"),
    "methods/tpavi_pvt_v2": (_PVT, "methods/tpavi_v2"),
    "methods/released/tpavi_v1s": ("methods/released/tpavi_v1m", "methods/tpavi_v1s"),
    "methods/released/tpavi_mini_v1m": ("methods/released/tpavi_v1m", "methods/tpavi_mini_v1m"),
    **{
        f"methods/released/tpavi_pvt_{data}": (_PVT, f"methods/released/tpavi_{data}")
        for data in ("v1m", "v1s", "v2")
    },
    **{
        f"methods/{name}": (f"methods/{stands_for}", f"methods/{base}")
        for name, (stands_for, base) in _AVSEGFORMER.items()
    },
    # Names of before.
    "methods/audio_token_v1m": ("methods/av_sam_v1m", "auralsam2/published/v1m"),
    "methods/audio_token_mini_v1m": ("methods/av_sam_v1m", _MINI),
    "methods/adapter_v1m": ("methods/sama_avs_v1m", "auralsam2/published/v1m"),
    "methods/adapter_mini_v1m": ("methods/sama_avs_mini_v1m", _MINI),
}
"""A name -> the config or grid that it stands for, and the base that this starts from there."""
