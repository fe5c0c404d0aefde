"""What every subcommand does with a folder that holds another run."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import find_tools

from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.engine.run_record import RunRecord

DOCUMENT = Path(__file__).parents[2] / "docs" / "running.md"


def rows() -> list[tuple[set[str], str]]:
    table = DOCUMENT.read_text(encoding="utf-8").partition("What each command writes:")[2]
    lines = [line.split("|") for line in table.split("\n\n")[1].splitlines()[2:]]
    return [(set(re.findall(r"`([a-z0-9-]+)`", cells[1])), cells[2].strip()) for cells in lines]


TRAINERS = rows()[0][0] | rows()[1][0]


def test_the_document_says_it_of_every_command() -> None:
    named = [command for commands, _ in rows() for command in commands]
    assert sorted(named) == sorted(find_tools())
    assert all(len(text) > 15 for _, text in rows())


# Folders of a grid and of a sweep are named by identity: see tests/ablations for them.
@pytest.mark.parametrize(
    "command", sorted((rows()[0][0] | rows()[1][0]) - {"run-grid", "run-sweep"})
)
def test_whatever_trains_leaves_another_run_alone(command: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_clips(tmp_path / "clips", Plan("v1m", (2, 2, 5), seed=3, size=48, num_frames=2))
    held = configs.load("auralsam2/mini_v1m", {"data.root": str(tmp_path / "clips")})
    root = f"data.root={tmp_path / 'clips'}"
    arguments = {
        "train": ["auralsam2/mini_v1m", "--out", str(out), "--set", "seed=9", root],
        "pretrain-mini": [str(out)],
        "pretrain-audio": [str(out)],
    }
    run_record.write(RunRecord(status="done", run_id="another"), out)
    configs.dump(held, out / "config.py")
    for name in ("epoch_1.pth", "best.safetensors"):
        (out / name).write_bytes(b"weights")
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OtherRunError, match="nothing was written"):
        import_module(f"auralsam2_tools.{command.replace('-', '_')}").main(arguments[command])
    assert {path: path.read_bytes() for path in out.iterdir()} == before
