"""What does a larger SAM2 bring? The four sizes of SAM 2.0, and SAM 2.1 at the largest.

Each cell reads its own file below ``weights/``, under the name it is published with; ``--set`` of
the checkpoint would give one file to all of them.
"""

base = "auralsam2/published/v1m"
title = "Size of the backbone"

_sizes = {"2.0": ["tiny", "small", "base_plus", "large"], "2.1": ["large"]}
_folder = {"2.0": "weights/sam2_hiera", "2.1": "weights/sam2.1_hiera"}

axes = {
    "backbone": [
        dict(
            name=f"SAM {_version}, {_size}",
            set={
                "model.backbone": dict(
                    type="SAM2Backbone",
                    size=_size,
                    version=_version,
                    checkpoint=f"{_folder[_version]}_{_size}.pt",
                )
            },
        )
        for _version in _sizes
        for _size in _sizes[_version]
    ]
}
seeds = [0, 1, 2]
reference = "SAM 2.0, large"
