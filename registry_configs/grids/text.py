"""What does the referring expression add? The same model with and without its text encoder.

Without it the expressions of a clip cannot be told apart: what is left is the sound.
"""

base = "auralsam2/published/ref_avs"
title = "Referring expressions on Ref-AVS"

axes = dict(
    text=[
        dict(name="on", set={}),
        dict(name="off", set={"model.text_encoder": None}),
    ]
)
seeds = [0, 1, 2]
reference = "off"
bases = {"auralsam2/mini_ref_avs": dict(seeds=[0, 1])}
