"""How good can a fuser of few parameters be? Score against trainable parameters, on sam2-mini."""

from registry_configs.sweeps.fuser_mini import space as _fuser

base = "auralsam2/mini_v1m"
title = "Score against size of the fuser"

space = {
    "model.pyramid.num_levels": _fuser["model.pyramid.num_levels"],
    "model.audio_depth": dict(type="int", low=1, high=3),
    "model.visual_attention.mlp_ratio": dict(type="int", low=1, high=4),
    "model.fusion": _fuser["model.fusion"],
}
# Two objectives have no single curve: no trial is pruned.
objectives = [
    dict(metric="J", direction="maximize"),
    dict(metric="num_trainable", direction="minimize"),
]
sampler = "tpe"
