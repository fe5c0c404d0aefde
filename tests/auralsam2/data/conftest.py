"""Fixtures of the data tests: a tiny data set on disk, and numbers of the released front end."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load

from auralsam2.data.synthetic.writer import Plan, write_v1m

PARITY = Path(__file__).parents[4] / "shared" / "parity"
TINY = Plan("v1m", (3, 2, 4), seed=5, size=40)


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine clips of 40 px; read only."""
    root = tmp_path_factory.mktemp("tiny") / "clips"
    assert write_v1m(root, TINY)
    return root


@pytest.fixture
def own_root(tiny_root: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(tiny_root, tmp_path / "own"))


@pytest.fixture(scope="session")
def audio_parity() -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and arrays of the released front end."""
    path = PARITY / "audio_features.safetensors.gz"
    if not path.is_file():
        pytest.skip("numbers of the released code are not at ../shared/parity/" + path.name)
    facts = json.loads((PARITY / "audio_features.json").read_text())
    return facts, load(gzip.decompress(path.read_bytes()))


@pytest.fixture
def rewrite_index() -> Callable[[Path, Callable[[str], str]], None]:
    """Return a function that passes a root's index through a function of its text."""

    def rewrite(root: Path, change: Callable[[str], str]) -> None:
        path = root / "avss_index" / "metadata.csv"
        path.write_text(change(path.read_text()))

    return rewrite
