"""Does the contrastive loss help? None, InfoNCE, AudioCon with pixels or sounds as anchors, released.

All draw the same pixels of a clip, but for the released one, whose sampling has its defects. The
paper calls audio the anchor; in the released code pixels are.
"""

base = "auralsam2/published/v1m"
title = "Contrastive loss"

_loss = "model.contrastive_loss"


def _axes(**weight: float) -> dict:
    return dict(
        contrastive=[
            dict(name="none", set={_loss: None, "model.projector": None}),
            dict(name="InfoNCE", set={_loss: dict(type="InfoNCELoss", **weight)}),
            dict(name="AudioCon, published", set={_loss: dict(type="AudioConLoss", **weight)}),
            dict(
                name="AudioCon, audio anchors",
                set={_loss: dict(type="AudioConLoss", **weight, anchors="audio")},
            ),
            dict(
                name="AudioCon, released", set={_loss: dict(type="ReleasedAudioConLoss", **weight)}
            ),
        ]
    )


axes = _axes()
seeds = [0, 1, 2]
reference = "AudioCon, published"
# All have the weight of the mini config.
bases = {"auralsam2/mini_v1m": dict(axes=_axes(weight=0.1), seeds=[0, 1])}
