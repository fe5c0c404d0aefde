"""Does the contrastive loss help? None, InfoNCE, AudioCon with pixels or sounds as anchors, released.

All draw the same pixels of a clip, but for the released one, whose sampling has its defects. The
paper calls audio the anchor; in the released code pixels are.
"""

base = "auralsam2/published/v1m"
title = "Contrastive loss"

axes = dict(
    contrastive=[
        dict(name="none", set={"model.contrastive_loss": None, "model.projector": None}),
        dict(name="InfoNCE", set={"model.contrastive_loss": dict(type="InfoNCELoss")}),
        dict(name="AudioCon, published", set={"model.contrastive_loss": dict(type="AudioConLoss")}),
        dict(
            name="AudioCon, audio anchors",
            set={"model.contrastive_loss": dict(type="AudioConLoss", anchors="audio")},
        ),
        dict(
            name="AudioCon, released",
            set={"model.contrastive_loss": dict(type="ReleasedAudioConLoss")},
        ),
    ]
)
seeds = [0, 1, 2]
reference = "AudioCon, published"
