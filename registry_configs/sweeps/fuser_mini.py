"""Which fuser, and how fast to train it? On the embedded sam2-mini: minutes on two CPU cores."""

base = "auralsam2/mini_v1m"
title = "Fuser of sam2-mini"

space = {
    "optim.optimizer.lr": dict(type="float", low=1e-4, high=5e-3, log=True),
    "model.pyramid.num_levels": dict(type="int", low=1, high=3),
    # Every fusion works frame by frame here, as in the demo: see TwoWayTPAVIFusion.
    "model.fusion": dict(
        type="categorical",
        choices=[
            dict(type="TwoWayTPAVIFusion", scope="frame"),
            dict(type="TwoWayCrossAttentionFusion", scope="frame"),
            dict(type="FiLMFusion"),
        ],
    ),
    "model.fusion.norm": dict(
        type="categorical",
        choices=["batch", "clip", "layer"],
        when={"model.fusion": ["TwoWayTPAVIFusion"]},
    ),
    "model.contrastive_loss.weight": dict(type="float", low=0.01, high=1.0, log=True),
}
objectives = [dict(metric="J")]
sampler = dict(type="tpe", n_startup_trials=6)
pruner = "hyperband"
