"""How much does pretrained hearing matter? The embedded encoder frozen, tuned, from scratch.

It was trained to name the sources of synthetic seconds, and stands where VGGish does at real size.
"""

base = "auralsam2/mini_v1m"
title = "Audio encoder"

_scratch = dict(type="LogMelCNN", weights=None, frozen=False)

axes = dict(
    audio_encoder=[
        dict(name="pretrained, frozen", set={}),
        dict(
            name="pretrained, tuned at a tenth of the rate",
            set={
                "model.audio_encoder.frozen": False,
                "optim.rate_factors": dict(audio_encoder=0.1),
            },
        ),
        dict(name="pretrained, trained on", set={"model.audio_encoder.frozen": False}),
        dict(name="from scratch", set={"model.audio_encoder": dict(**_scratch, width=16)}),
        dict(
            name="from scratch, half as wide",
            set={"model.audio_encoder": dict(**_scratch, width=8)},
        ),
        # A control: what is left when hearing has learned nothing.
        dict(
            name="random, frozen",
            set={"model.audio_encoder": dict(type="LogMelCNN", width=16, frozen=True)},
        ),
    ]
)
seeds = [0, 1]
reference = "pretrained, frozen"
