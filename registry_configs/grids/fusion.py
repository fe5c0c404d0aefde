"""How should a level and its sound meet? The published block against simpler and one-way ones.

TPAVI and cross-attention blocks let all frames of a clip attend jointly, as published; those that
read one audio token a frame (bilinear, concatenation, FiLM) cannot.
"""

base = "auralsam2/published/v1m"
title = "Fusion blocks"

axes = {
    "model.fusion": [
        dict(type="TwoWayTPAVIFusion"),
        dict(type="ReleasedTPAVIFusion"),
        dict(type="TPAVIFusion"),
        dict(type="TwoWayCrossAttentionFusion"),
        dict(type="CrossAttentionFusion"),
        dict(type="BilinearFusion"),
        dict(type="ConcatMLPFusion"),
        dict(type="FiLMFusion"),
        dict(type="NoFusion"),
    ]
}
seeds = [0, 1, 2]
reference = "TwoWayTPAVIFusion"
