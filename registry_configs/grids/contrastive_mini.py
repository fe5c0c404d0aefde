"""Does the contrastive loss help? None, InfoNCE, AudioCon with pixels or sounds as anchors, released.

The paper calls audio the anchor; in the released code pixels are. All have the weight of the mini config, a tenth of the published one.
"""

base = "auralsam2/mini_v1m"
title = "Contrastive loss"


_con = "model.contrastive_loss"

axes = dict(
    contrastive=[
        dict(name="none", set={_con: None, "model.projector": None}),
        dict(name="InfoNCE", set={_con: dict(type="InfoNCELoss", weight=0.1)}),
        dict(name="AudioCon, published", set={_con: dict(type="AudioConLoss", weight=0.1)}),
        dict(
            name="AudioCon, audio anchors",
            set={_con: dict(type="AudioConLoss", weight=0.1, anchors="audio")},
        ),
        dict(name="AudioCon, released", set={_con: dict(type="ReleasedAudioConLoss", weight=0.1)}),
    ]
)
seeds = [0, 1]
reference = "AudioCon, published"
