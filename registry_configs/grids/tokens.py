"""Which of the decoder's own tokens should hear? The four mask tokens, and those of the scores."""

base = "auralsam2/published/v1m"
title = "Tokens that receive the sparse prompt"

axes = dict(
    tokens=[
        dict(name=" + ".join(_tokens), set={"model.injection.tokens": _tokens})
        for _tokens in (
            ("mask",),
            ("iou",),
            ("object",),
            ("mask", "iou"),
            ("mask", "object"),
            ("mask", "iou", "object"),
        )
    ]
)
seeds = [0, 1, 2]
reference = "mask"
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
