"""Where, and in which order, should prompts enter the decoder? Sites, order, one level, placement.

Each cell changes one thing of the published injection: every level at its own site, coarse to fine,
sparse prompts added to the mask tokens.
"""

base = "auralsam2/published/v1m"
title = "Injection into the mask decoder"

_path = "model.injection"
_of_sparse, _of_dense = f"{_path}.sparse_sites", f"{_path}.dense_sites"

axes = dict(
    injection=[
        dict(name="all sites, coarse to fine", set={}),
        dict(name="fine to coarse", set={f"{_path}.order": "fine_to_coarse"}),
        dict(name="block 1 alone", set={f"{_path}.sites": ("block1",)}),
        dict(name="block 2 alone", set={f"{_path}.sites": ("block2",)}),
        dict(name="final alone", set={f"{_path}.sites": ("final",)}),
        dict(name="without the final site", set={f"{_path}.sites": ("block1", "block2")}),
        dict(name="coarsest level at every site", set={f"{_path}.repeat_level": -1}),
        dict(name="finest level at every site", set={f"{_path}.repeat_level": 0}),
        dict(name="sparse at block 1 alone", set={_of_sparse: ("block1",)}),
        dict(name="dense at block 1 alone", set={_of_dense: ("block1",)}),
        dict(name="sparse as tokens of their own", set={f"{_path}.placement": "append"}),
    ]
)
seeds = [0, 1, 2]
reference = "all sites, coarse to fine"
bases = {"auralsam2/mini_v1m": dict(seeds=[0, 1])}
