"""How much does pretrained hearing matter? VGGish frozen, trained on, from scratch, and a small CNN."""

base = "auralsam2/published/v1m"
title = "Audio encoder"

axes = dict(
    audio_encoder=[
        dict(name="VGGish, frozen", set={}),
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
