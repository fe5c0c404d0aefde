"""What does the referring expression add? The same model with text encoders, and without any.

Without it the expressions of a clip cannot be told apart: what is left is the sound. Beside RoBERTa
stand encoders that were trained to match words with pictures (CLIP) and with sounds (CLAP). On the
mini config these two are small ones of random weights, beside the trained MiniLM.
"""

base = "auralsam2/published/ref_avs"
title = "Referring expressions on Ref-AVS"

_encoder = "model.text_encoder"


def _axis(clip: dict, clap: dict, names: tuple[str, str]) -> list[dict]:
    return [
        dict(name="on", set={}),
        dict(name="off", set={_encoder: None}),
        dict(name=names[0], set={_encoder: dict(type="CLIPText", **clip)}),
        dict(name=names[1], set={_encoder: dict(type="CLAPText", **clap)}),
    ]


axes = dict(
    text=_axis(
        dict(weights="weights/clip-vit-base-patch32"),
        dict(weights="weights/clap-htsat-unfused"),
        ("CLIP", "CLAP"),
    )
)
seeds = [0, 1, 2]
reference = "off"

_random = dict(random_weights=True)
bases = {
    "auralsam2/mini_ref_avs": dict(
        axes=dict(text=_axis(_random, _random, ("random CLIP", "random CLAP"))), seeds=[0, 1]
    )
}
