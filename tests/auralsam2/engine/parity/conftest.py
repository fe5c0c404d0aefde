"""Small folders of fixtures in the schema, of other sizes than any shipped one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from auralsam2.engine.conversion.convert import Options, convert
from auralsam2.engine.parity.compare import Row, probe_loss
from auralsam2.engine.parity.fixtures import Fixtures
from auralsam2.engine.parity.fuser import MODES, ReleasedListener, _outputs
from auralsam2.engine.parity.run import Group, check_group

SHARED = Path(__file__).parents[5] / "shared"
RELEASES = ("parity", "rivals")
FRAMES, SIDE, C = 3, 4, 16

Write = Callable[..., None]


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> Path:
    """Numbers of the released code: the method's own, and its rivals'."""
    folder = SHARED / request.param
    if not folder.is_dir():
        pytest.skip(f"numbers of the released code are not at ../shared/{request.param}")
    return folder


@pytest.fixture(scope="session")
def checked() -> Callable[[Path, Group], list[Row]]:
    """A function that compares a group once, however many tests ask; nothing where it is absent."""
    return cache(
        lambda folder, group: check_group(folder, group) if group.is_in(Fixtures(folder)) else []
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes one fixture."""

    def fixture(name: str, tensors: dict[str, Tensor], facts: dict[str, Any] | None = None) -> None:
        plain = {key: value.detach().contiguous() for key, value in tensors.items()}
        (tmp_path / f"{name}.safetensors.gz").write_bytes(gzip.compress(save(plain)))
        if facts is not None:
            (tmp_path / f"{name}.json").write_text(json.dumps(facts))

    return fixture


def listener_facts(depths: tuple[int, ...]) -> dict[str, Any]:
    block = dict(num_heads=2, mlp_ratio=2, sr_ratio=2, drop=0.0)
    return {
        "config": {"f_depths": list(depths), "block_kw": block, "one_d_kw": block},
        "image_embedding_size": SIDE,
    }


@pytest.fixture
def listener_folder(tmp_path: Path, write: Write) -> Path:
    """Group a at two levels of other depths, made by our own modules from random weights."""
    facts = listener_facts((2, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        listener = ReleasedListener(facts, (1, 2), C, "ReleasedConvProjector", out_channels=6)
        for parameter in listener.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        inputs = {
            "backbone_fpn.0": torch.randn(FRAMES, C, 2 * SIDE, 2 * SIDE),
            "backbone_fpn.1": torch.randn(FRAMES, C, SIDE, SIDE),
            "audio_embeddings": torch.randn(FRAMES, 2, C // 2),
        }
    # Written at once: running statistics change in train mode.
    write("fuser_weights", convert(listener.state_dict(), Options(to="authors")).state)
    numbers: dict[str, Tensor] = {}
    for mode in MODES:
        listener.zero_grad()
        outputs = _outputs(listener.train(mode == "train"), inputs)
        numbers |= {f"{mode}.{key}": value for key, value in outputs.items()}
        numbers[f"{mode}.probe_loss"] = probe_loss(outputs.values())
        facts[f"{mode}.param_grad_l2"] = {"a_blocks.0.0.attn.sr.weight": None}
    write("fuser_inputs", inputs)
    write("fuser_avs", numbers, facts)
    return tmp_path
