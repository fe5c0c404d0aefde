"""The example of the page, which the README has too, does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The same model, of random weights where the package has none that were trained.
BEFORE = """
from auralsam2 import config
from auralsam2.data.images import Resizing
from auralsam2.engine.evaluate import build_model
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import Trained

model = build_model(config.load("auralsam2/mini_v1m", {"model.feature_cache_mb": 0}))
made = AuralSAM2VideoPredictor(Trained(model, Resizing(128)))
AuralSAM2VideoPredictor.from_checkpoint = classmethod(lambda cls, name: made)
"""
AFTER = """
print(len(masks), sorted(masks[20]), masks[20][1].shape, sorted(state["audio_weights"]))
"""


def example() -> str:
    return BLOCK.findall((ROOT / "docs" / "predictor.md").read_text())[0]


def test_the_readme_has_the_pages_example() -> None:
    assert example() in (ROOT / "README.md").read_text()
    lines = [line for line in example().splitlines() if line]
    assert len(lines) <= 15


def test_the_example_runs(tmp_path: Path, write_video) -> None:
    pytest.importorskip("av")
    write_video(tmp_path / "clip.mp4", seconds=5)
    program = BEFORE + example() + AFTER
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "25 [1, 2] torch.Size([32, 48]) [1]\n", done.stderr[-2000:]
