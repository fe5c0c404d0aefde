"""A new fusion block is one file and one line of a grid, trained for real."""

import json
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main

from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record

FUSION = '''
import torch
from torch import Tensor, nn

from auralsam2.models.fusion.base import Fusion
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput


@FUSIONS.register_module()
class OneFileGateFusion(Fusion):
    """Add the frame's audio token to its visual tokens through a learned gate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Linear(2 * channels, channels)

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        own = audio[:, : visual.shape[1], None].expand_as(visual)
        gate = self.gate(torch.cat([visual, own], dim=-1)).sigmoid()
        return FusionOutput(visual + gate * own, audio)
'''

GRID = """
base = "auralsam2/mini_v1m"
custom_imports = dict(imports=["one_file_gate.py"])
axes = {"model.fusion": [dict(type="NoFusion"), dict(type="OneFileGateFusion")]}
overrides = {
    "data.root": "DATA",
    "data.batch_size": 2,
    "optim.epochs": 1,
    "runtime.tensorboard": False,
    "evaluation.measure_speed": False,
    "evaluation.num_saved_clips": 0,
    "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
    "model.visual_depths": (0, 0, 0),
}
"""


@pytest.mark.slow
def test_a_fusion_in_one_file_runs_through_a_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_clips(data, Plan("v1m", (2, 1, 2), seed=4, size=64, num_frames=2))
    (tmp_path / "one_file_gate.py").write_text(FUSION)
    grid = tmp_path / "grid.py"
    grid.write_text(GRID.replace("DATA", str(data)))
    out = tmp_path / "out"

    assert main(["run-grid", str(grid), "--out", str(out), "--jobs", "1"]) == 0
    cells = {cell["name"]: cell for cell in json.loads((out / "grid.json").read_text())["cells"]}
    assert set(cells) == {"NoFusion", "OneFileGateFusion"}
    records = {r.name: r for r in map(run_record.read, (out / "runs").iterdir())}
    gate = records["OneFileGateFusion"]
    assert gate.status == "done" and set(gate.metrics["test"]) == {"J", "F"}
    # Three levels, each with one gate of 256 -> 128 and its bias.
    extra = gate.num_parameters["trainable"] - records["NoFusion"].num_parameters["trainable"]
    assert extra == 3 * (256 * 128 + 128)

    capsys.readouterr()
    assert main(["run-grid", str(grid), "--out", str(out)]) == 0
    assert "2 were done before" in capsys.readouterr().out
