"""One difference between paper and released code at a time, on the embedded sam2-mini.

Each cell is the corrected model with one thing put back as released; docs/differences.md lists
them. Every fusion works frame by frame here, as in the demo: see TwoWayTPAVIFusion.
"""

base = "auralsam2/mini_v1m"
title = "The released code's differences, one at a time"

_released_model = {"model.type": "ReleasedAuralSAM2"}
_leaking_injection = {
    "model.injection.type": "ReleasedInjection",
    "model.injection.leak_into_position": True,
}
_released_projector = dict(type="ReleasedConvProjector")
_released_loss = dict(type="ReleasedAudioConLoss", weight=0.1)
_everything = {
    **_released_model,
    "model.fusion": dict(type="ReleasedTPAVIFusion", scope="frame"),
    "model.constant_audio_position": True,
    **_leaking_injection,
    "model.projector": _released_projector,
    "model.join_clips": True,
    "model.contrastive_loss": _released_loss,
}
_corrected = dict(
    labels="own",
    prediction="thresholded",
    quota="filled",
    silent_rule="empty",
    truncation="random",
    repel_audio=False,
    reduction="anchors_with_positive",
    ignore_class=False,
)

axes = dict(
    released=[
        dict(name="nothing", set={}),
        dict(
            name="scrambled axes",
            set={
                "model.fusion": dict(
                    type="ReleasedTPAVIFusion", scope="frame", scale="keys", zero_init=False
                )
            },
        ),
        dict(name="scale", set={"model.fusion.scale": "queries"}),
        dict(name="zero start", set={"model.fusion.zero_init": True}),
        dict(
            name="constant audio position",
            set={**_released_model, "model.constant_audio_position": True},
        ),
        dict(name="leak into position", set=_leaking_injection),
        dict(name="projector", set={"model.projector": _released_projector}),
        dict(name="joined clips", set={**_released_model, "model.join_clips": True}),
        dict(
            name="labels by rank",
            set={"model.contrastive_loss": {**_released_loss, **_corrected, "labels": "looked_up"}},
        ),
        dict(name="contrastive loss", set={"model.contrastive_loss": _released_loss}),
        dict(name="everything", set=_everything),
    ]
)
seeds = [0, 1]
reference = "nothing"
