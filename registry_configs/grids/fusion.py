"""How should a level and its sound meet? The published block against simpler and one-way ones.

TPAVI and cross-attention blocks let all frames of a clip attend jointly, as published; those that
read one audio token a frame (bilinear, concatenation, FiLM) cannot.
"""

base = "auralsam2/published/v1m"
title = "Fusion blocks"


def _axes(scope: dict, dropout: dict) -> dict:
    return {
        "model.fusion": [
            dict(type="TwoWayTPAVIFusion", **scope),
            dict(type="ReleasedTPAVIFusion", **scope),
            dict(type="TPAVIFusion", **scope),
            dict(type="TwoWayCrossAttentionFusion", **scope, **dropout),
            dict(type="CrossAttentionFusion", **scope, **dropout),
            dict(type="BilinearFusion", **dropout),
            dict(type="ConcatMLPFusion", **dropout),
            dict(type="FiLMFusion"),
            dict(type="NoFusion"),
        ]
    }


axes = _axes({}, {})
seeds = [0, 1, 2]
reference = "TwoWayTPAVIFusion"
bases = {
    # Sounds change within the synthetic clips, see TwoWayTPAVIFusion: every block works frame by
    # frame there. None drops out, as nothing else does in the mini config.
    "auralsam2/mini_v1m": dict(
        axes=_axes(dict(scope="frame"), dict(dropout=0.0)),
        overrides={"evaluation.counterfactuals": ["silence", "swapped"]},
        seeds=[0, 1],
    )
}
