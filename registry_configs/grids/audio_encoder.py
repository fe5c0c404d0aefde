"""Does a better ear help? VGGish frozen, tuned, from scratch, a small CNN, and six of transformers.

The released optimizer would give VGGish a tenth of the rate if it were not frozen. Encoders of
transformers hear each second by themselves, through front ends of their own (docs/encoders.md). On
the mini config the embedded encoder, trained to name the sources of synthetic seconds, stands where
VGGish does at real size; those of transformers are small ones of random weights there, which shows
that all of it runs and says nothing about the trained ones.
"""

base = "auralsam2/published/v1m"
title = "Audio encoder"

_encoder = "model.audio_encoder"
_trained = {f"{_encoder}.frozen": False}
_slow = {**_trained, "optim.rate_factors": dict(audio_encoder=0.1)}
_at_a_tenth = "tuned at a tenth of the rate"


def _pretrained(name: str) -> list[dict]:
    return [
        dict(name=f"{name}, frozen", set={}),
        dict(name=f"{name}, {_at_a_tenth}", set=_slow),
        dict(name=f"{name}, trained on", set=_trained),
    ]


_folders = {
    "AST": ("ASTEncoder", "ast-finetuned-audioset-10-10-0.4593"),
    "CLAP": ("CLAPEncoder", "clap-htsat-unfused"),
    "Whisper": ("WhisperEncoder", "whisper-base"),
    "WavLM": ("WavLMEncoder", "wavlm-base-plus"),
    "HuBERT": ("HuBERTEncoder", "hubert-base-ls960"),
    "PE-Audio": ("PEAudioEncoder", "pe-av-large"),
}
_nodes = {
    name: dict(type=type_, weights=f"weights/{folder}")
    for name, (type_, folder) in _folders.items()
}

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
        *[dict(name=f"{name}, frozen", set={_encoder: node}) for name, node in _nodes.items()],
        *[
            dict(name=f"{name}, {_at_a_tenth}", set={_encoder: _nodes[name], **_slow})
            for name in ("AST", "CLAP")
        ],
    ]
)
seeds = [0, 1, 2]
reference = "VGGish, frozen"

_scratch = dict(type="LogMelCNN", weights=None, frozen=False)
_random = dict(type="LogMelCNN", width=16, frozen=True)
_small = {name: dict(type=type_, random_weights=True) for name, (type_, _) in _folders.items()}

bases = {
    "auralsam2/mini_v1m": dict(
        axes=dict(
            audio_encoder=[
                *_pretrained("pretrained"),
                dict(name="from scratch", set={_encoder: dict(**_scratch, width=16)}),
                dict(name="from scratch, half as wide", set={_encoder: dict(**_scratch, width=8)}),
                # Controls: what is left when hearing has learned nothing.
                dict(name="random, frozen", set={_encoder: _random}),
                *[
                    dict(name=f"random {name}, frozen", set={_encoder: node})
                    for name, node in _small.items()
                ],
                dict(
                    name=f"random AST, {_at_a_tenth}",
                    set={_encoder: _small["AST"], **_slow},
                ),
                dict(
                    name="random AST, frozen, four tokens a second",
                    set={_encoder: dict(_small["AST"], tokens=4)},
                ),
            ]
        ),
        seeds=[0, 1],
        reference="pretrained, frozen",
    )
}
