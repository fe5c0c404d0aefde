"""Learning rate, fuser and losses at real size: SAM 2.0 Hiera large on AVSBench V1M."""

base = "auralsam2/hiera_large_v1m"
title = "Fuser of AuralSAM2"

_fusion = "model.fusion"
_tpavi, _attention = "TwoWayTPAVIFusion", "TwoWayCrossAttentionFusion"

space = {
    "optim.optimizer.lr": dict(type="float", low=1e-5, high=1e-3, log=True),
    "optim.optimizer.weight_decay": dict(type="float", low=1e-3, high=0.2, log=True),
    "model.pyramid.num_levels": dict(type="int", low=1, high=3),
    _fusion: dict(type="categorical", choices=[dict(type=_tpavi), dict(type=_attention)]),
    "model.fusion.scope": dict(type="categorical", choices=["clip", "frame"]),
    "model.fusion.norm": dict(
        type="categorical", choices=["batch", "clip", "layer"], when={_fusion: [_tpavi]}
    ),
    "model.contrastive_loss.weight": dict(type="float", low=0.01, high=2.0, log=True),
    "prompts": dict(
        type="categorical",
        choices=[
            dict(name="sparse+dense", set={}),
            dict(name="sparse", set={"model.dense_prompt": None}),
            dict(name="dense", set={"model.sparse_prompt": None}),
        ],
    ),
}
objectives = [dict(metric="J")]
sampler = dict(type="tpe", n_startup_trials=20)
# What a trial of 80 epochs is worth is not seen before it has warmed up.
pruner = dict(type="hyperband", min_resource=5)
