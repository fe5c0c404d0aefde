"""How much does pretrained hearing matter? VGGish frozen, tuned, from scratch, and a small CNN.

The released optimizer would give VGGish a tenth of the rate if it were not frozen. On the mini
config the embedded encoder, trained to name the sources of synthetic seconds, stands where VGGish
does at real size.
"""

base = "auralsam2/published/v1m"
title = "Audio encoder"

_encoder = "model.audio_encoder"


def _pretrained(name: str) -> list[dict]:
    trained = {f"{_encoder}.frozen": False}
    slow = {**trained, "optim.rate_factors": dict(audio_encoder=0.1)}
    return [
        dict(name=f"{name}, frozen", set={}),
        dict(name=f"{name}, tuned at a tenth of the rate", set=slow),
        dict(name=f"{name}, trained on", set=trained),
    ]


axes = dict(
    audio_encoder=[
        *_pretrained("VGGish"),
        dict(
            name="VGGish, from scratch",
            set={
                f"{_encoder}.weights": None,
                f"{_encoder}.random_weights": True,
                f"{_encoder}.frozen": False,
            },
        ),
        dict(name="LogMelCNN, from scratch", set={_encoder: dict(type="LogMelCNN")}),
    ]
)
seeds = [0, 1, 2]
reference = "VGGish, frozen"

_scratch = dict(type="LogMelCNN", weights=None, frozen=False)
_random = dict(type="LogMelCNN", width=16, frozen=True)

bases = {
    "auralsam2/mini_v1m": dict(
        axes=dict(
            audio_encoder=[
                *_pretrained("pretrained"),
                dict(name="from scratch", set={_encoder: dict(**_scratch, width=16)}),
                dict(name="from scratch, half as wide", set={_encoder: dict(**_scratch, width=8)}),
                # A control: what is left when hearing has learned nothing.
                dict(name="random, frozen", set={_encoder: _random}),
            ]
        ),
        seeds=[0, 1],
        reference="pretrained, frozen",
    )
}
