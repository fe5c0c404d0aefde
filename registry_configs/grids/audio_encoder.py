"""How much does pretrained hearing matter? VGGish frozen, tuned, from scratch, and a small CNN.

The released optimizer would give VGGish a tenth of the rate if it were not frozen.
"""

base = "auralsam2/published/v1m"
title = "Audio encoder"

axes = dict(
    audio_encoder=[
        dict(name="VGGish, frozen", set={}),
        dict(
            name="VGGish, tuned at a tenth of the rate",
            set={
                "model.audio_encoder.frozen": False,
                "optim.rate_factors": dict(audio_encoder=0.1),
            },
        ),
        dict(name="VGGish, trained on", set={"model.audio_encoder.frozen": False}),
        dict(
            name="VGGish, from scratch",
            set={
                "model.audio_encoder.weights": None,
                "model.audio_encoder.random_weights": True,
                "model.audio_encoder.frozen": False,
            },
        ),
        dict(name="LogMelCNN, from scratch", set={"model.audio_encoder": dict(type="LogMelCNN")}),
    ]
)
seeds = [0, 1, 2]
reference = "VGGish, frozen"
