"""How good can a fuser of few parameters be? Score against trainable parameters, on sam2-mini."""

base = "auralsam2/mini_v1m"
title = "Score against size of the fuser"

space = {
    "model.pyramid.num_levels": dict(type="int", low=1, high=3),
    "model.audio_depth": dict(type="int", low=1, high=3),
    "model.visual_attention.mlp_ratio": dict(type="int", low=1, high=4),
    "model.fusion": dict(
        type="categorical",
        choices=[
            dict(type="TwoWayTPAVIFusion", scope="frame"),
            dict(type="TwoWayCrossAttentionFusion", scope="frame"),
            dict(type="FiLMFusion"),
        ],
    ),
}
# Two objectives have no single curve: no trial is pruned.
objectives = [
    dict(metric="J", direction="maximize"),
    dict(metric="num_trainable", direction="minimize"),
]
sampler = "tpe"
