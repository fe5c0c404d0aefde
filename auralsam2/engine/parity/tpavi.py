"""AVSBench's network: backbone, block, whole network and losses."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import Fixtures
from auralsam2.models.image.pvt_v2 import PVTv2Stages, in_names_of_transformers

OUTPUT = 2e-5
"""Tolerance of outputs; float32 alone costs up to 1e-5."""
PVT = "avsbench_pvt"


@torch.no_grad()
def check_pvt(fixtures: Fixtures) -> Iterator[Row]:
    """Four maps of the authors' PVT v2, with weights under their names."""
    facts, held = fixtures.facts(PVT), fixtures.expected(PVT)
    sizes = facts["config"]
    encoder = PVTv2Stages(
        widths=sizes["embed_dims"], depths=sizes["depths"], num_heads=sizes["num_heads"],
        mlp_ratios=sizes["mlp_ratios"], sr_ratios=sizes["sr_ratios"],
    ).eval()  # fmt: skip
    state = in_names_of_transformers(held.weights)
    encoder.network.load_state_dict(state, strict=True)
    for stage, got in enumerate(encoder(held.numbers["images"])):
        yield held.row(f"map.{stage}", got, OUTPUT)
