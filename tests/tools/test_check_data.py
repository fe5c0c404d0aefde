from __future__ import annotations

import json
from pathlib import Path

import pytest
from auralsam2_tools.check_data import LAYOUTS, main

from auralsam2.data.checking import check
from auralsam2.data.synthetic.writer import Plan, write_clips


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips") / "root"
    write_clips(root, Plan("v1m", (1, 1, 1), seed=0, size=24))
    return root


def test_layouts_are_those_that_can_be_checked() -> None:
    assert LAYOUTS.keys() == check.LAYOUTS.keys()


def test_a_healthy_tree_exits_with_0(root: Path, run) -> None:
    shown = run("check-data", "v1m", root, "--workers", "1")
    assert "clips: 3, frames: 15" in shown and shown.endswith("healthy\n")


def test_json_goes_to_stdout_and_to_a_file(root: Path, tmp_path: Path, run) -> None:
    out = tmp_path / "reports" / "check.json"
    content = json.loads(run("check-data", "v1m", root, "--json", "--out", out))
    assert content == json.loads(out.read_text())
    assert content["healthy"] and content["counts"]["splits"]["v1m/val"] == 1


def test_faults_exit_with_1(root: Path, tmp_path: Path, run) -> None:
    write_clips(tmp_path / "own", Plan("v1m", (1, 1, 1), seed=0, size=24))
    (tmp_path / "own" / "v1m" / "clip00001_s0" / "frames" / "2.jpg").unlink()
    assert "there is no frame" in run("check-data", "v1m", tmp_path / "own", status=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["v1n", "."], "unknown layout 'v1n'; did you mean"),
        (["v1m", "nowhere"], "no AVSBench index"),
        (["ref_avs", "nowhere"], "no Ref-AVS index"),
        (["s4", "nowhere"], "no folder 's4_data'"),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
