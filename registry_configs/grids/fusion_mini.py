"""How should a level and its sound meet? The published block against simpler and one-way ones.

Every block works frame by frame here, as in the demo: sounds change within the synthetic clips,
see TwoWayTPAVIFusion. None drops out, as nothing else does in the mini config.
"""

base = "auralsam2/mini_v1m"
title = "Fusion blocks"

axes = {
    "model.fusion": [
        dict(type="TwoWayTPAVIFusion", scope="frame"),
        dict(type="ReleasedTPAVIFusion", scope="frame"),
        dict(type="TPAVIFusion", scope="frame"),
        dict(type="TwoWayCrossAttentionFusion", scope="frame", dropout=0.0),
        dict(type="CrossAttentionFusion", scope="frame", dropout=0.0),
        # One audio token a frame by construction.
        dict(type="BilinearFusion", dropout=0.0),
        dict(type="ConcatMLPFusion", dropout=0.0),
        dict(type="FiLMFusion"),
        dict(type="NoFusion"),
    ]
}
overrides = {"evaluation.counterfactuals": ["silence", "swapped"]}
seeds = [0, 1]
reference = "TwoWayTPAVIFusion"
