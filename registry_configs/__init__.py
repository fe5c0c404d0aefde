"""Configs as data: runnable leaves, their bases and grids, found by name."""

_MINI = "auralsam2/mini_v1m"
_REF_AVS = "auralsam2/mini_ref_avs"
_GRIDS = (
    *("attention_depth", "audio_encoder", "conditioning", "contrastive", "fusion", "injection"),
    *("projector", "pyramid", "temperature", "tokens", "backbone_family"),
)
_METHODS = ("av_sam", "prompted", "unprompted")


def _networks(name: str, encoder: str) -> dict[str, tuple[str, str]]:
    """A network without SAM2, with its own image encoder and another, on all data, as released."""
    other = f"{name}_{encoder}"
    below = {
        **{f"{other}_{data}": (f"{other}_v1m", f"{name}_{data}") for data in ("v1s", "v2")},
        f"released/{name}_v1s": (f"released/{name}_v1m", f"{name}_v1s"),
        **{
            f"released/{other}_{data}": (f"{other}_v1m", f"released/{name}_{data}")
            for data in ("v1m", "v1s", "v2")
        },
    }
    return {
        f"methods/{alias}": (f"methods/{config}", f"methods/{base}")
        for alias, (config, base) in below.items()
    }


ALIASES: dict[str, tuple[str, str]] = {
    "grids/demo": ("grids/prompts", _MINI),
    **{f"grids/{name}_mini": (f"grids/{name}", _MINI) for name in _GRIDS},
    "grids/text_mini": ("grids/text", _REF_AVS),
    **{f"methods/{name}_mini_v1m": (f"methods/{name}_v1m", _MINI) for name in _METHODS},
    "methods/prompted_mini_ref_avs": ("methods/prompted_v1m", _REF_AVS),
    "methods/unprompted_mini_ref_avs": ("methods/unprompted_v1m", _REF_AVS),
    "methods/sam4avs_mini_v1m": ("methods/sam4avs_v1m", "methods/translated_mini_v1m"),
    **_networks("tpavi", "pvt"),
    "methods/released/tpavi_mini_v1m": ("methods/released/tpavi_v1m", "methods/tpavi_mini_v1m"),
    **_networks("avsegformer", "r50"),
    # Names of before.
    "methods/audio_token_v1m": ("methods/av_sam_v1m", "auralsam2/published/v1m"),
    "methods/audio_token_mini_v1m": ("methods/av_sam_v1m", _MINI),
    "methods/adapter_v1m": ("methods/sama_avs_v1m", "auralsam2/published/v1m"),
    "methods/adapter_mini_v1m": ("methods/sama_avs_mini_v1m", _MINI),
}
"""A name -> the config or grid that it stands for, and the base that this starts from there."""
