"""The page on parts of one's own does what it says: its files are written, its commands given."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from auralsam2.engine import run_record

pytestmark = pytest.mark.slow  # whichever test comes first carries the whole page out

PAGE = Path(__file__).parents[2] / "docs" / "extend.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# One process for all commands: what costs time is importing torch.
RUN = """
import json, sys
from auralsam2_tools.__main__ import main
for command in json.load(sys.stdin):
    print("$", *command, flush=True)
    if main(command):
        sys.exit(f"failed: {command}")
"""


def files() -> dict[str, str]:
    """Name, in the first line, and text of every block of Python."""
    texts = [text for language, text in BLOCK.findall(PAGE.read_text()) if language == "python"]
    return {text.partition("\n")[0].removeprefix("# "): text for text in texts}


def commands() -> list[list[str]]:
    """Arguments of every command of the page, in order."""
    plain = [text for language, text in BLOCK.findall(PAGE.read_text()) if not language]
    lines = "".join(plain).replace("\\\n", " ").splitlines()
    split = [shlex.split(line, comments=True) for line in lines if line.strip()]
    assert all(words[0] == "auralsam2" for words in split)
    return [words[1:] for words in split]


def _quickly(command: list[str]) -> list[str]:
    """The command, its runs in the same process and without TensorBoard, whose import is slow."""
    tool, *rest = command
    if tool == "run-grid":
        return [tool, *rest, "--jobs", "0", "--set", "runtime.tensorboard=False"]
    if tool == "train":
        rest.insert(rest.index("--set") + 1, "runtime.tensorboard=False")
    return [tool, *rest]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all of the page has been carried out."""
    path = tmp_path_factory.mktemp("extend")
    for name, text in files().items():
        assert re.fullmatch(r"\w+\.py", name), f"the first line of a block names no file: {name}"
        (path / name).write_text(text)
    given = [_quickly(command) for command in commands()]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(given),
        cwd=path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (path / "shown.txt").write_text(done.stdout)
    return path


def test_every_part_is_checked_by_a_command(folder: Path) -> None:
    shown = (folder / "shown.txt").read_text()
    checked = [c for c in commands() if c[0] == "check-config"]
    assert shown.count(": OK, hash ") == len(checked) >= 6
    assert len(set(re.findall(r"OK, hash (\w+)", shown))) == len(checked), "a part is not used"
    assert "GatedSumFusion" in shown, "list-components shows what was imported"


def test_the_parts_train_and_are_scored_in_a_grid(folder: Path) -> None:
    records = {r.name: r for r in map(run_record.read, (folder / "runs/own_parts/runs").iterdir())}
    assert {name: r.status for name, r in records.items()} == {"own": "done", "small net": "done"}
    for record in records.values():
        assert set(record.metrics) == {"test", "test_audio_silence", "test_audio_swapped"}
        assert set(record.metrics["test"]) == {"J", "R"}
        assert set(record.metrics["test_audio_silence"]) == {"J", "R", "A"}
        assert set(record.speed) == {"fps", "decoder_fps"}
    assert "small net" in (folder / "runs/own_parts/table.md").read_text()


def test_a_method_is_scored_under_other_sounds(folder: Path) -> None:
    assert run_record.read(folder / "runs/small_net").num_parameters["trainable"] < 10_000
    shown = (folder / "shown.txt").read_text().partition("--audio silence offscreen")[2]
    for split in ("test_audio_silence", "test_audio_offscreen"):
        assert re.search(rf"^{split}: J 0\.\d+, F 0\.\d+, A [01]\.\d+$", shown, re.MULTILINE)
