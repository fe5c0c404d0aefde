from __future__ import annotations

import json
from pathlib import Path

import pytest
from auralsam2_tools.list_components import all_registries, main

from auralsam2.registry import REGISTRIES


@pytest.mark.usefixtures("toy_components")
def test_json_holds_contract_summary_and_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    REGISTRIES["fusion"].lookup("SumFusion").__doc__ = "Add the\nstreams.\n\nMore."
    assert main(["fusion", "sparse-prompt", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert list(listing) == ["fusion", "sparse_prompt"]
    assert listing["fusion"]["contract"] == REGISTRIES["fusion"].contract
    described = REGISTRIES["fusion"].lookup("SumFusion")
    assert listing["fusion"]["components"]["SumFusion"] == {
        "class": f"{described.__module__}.{described.__qualname__}",
        "summary": "Add the streams.",
        "arguments": [
            {"name": "channels", "need": "given", "default": None},
            {"name": "num_heads", "need": "optional", "default": "4"},
            {"name": "inner", "need": "optional", "default": "None"},
        ],
    }
    assert listing["sparse_prompt"]["components"] == {}


@pytest.mark.usefixtures("toy_components")
def test_tables_show_brackets_of_arguments_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @REGISTRIES["fusion"].register_module()
    class Bracket:
        """Uses [red] text."""

        def __init__(self, sizes=[1]) -> None: ...  # noqa: B006

    monkeypatch.setenv("COLUMNS", "120")
    assert main(["fusion"]) == 0
    shown = capsys.readouterr().out
    assert "Uses [red] text." in shown and "sizes=[1]" in shown
    assert "never mixes clips" in shown


@pytest.mark.usefixtures("toy_components")
def test_arguments_without_a_default_are_marked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["projector", "dataset"]) == 0
    shown = capsys.readouterr().out
    assert "channels (given), dim (required)" in shown
    assert "dataset (required), seed=0" in shown


@pytest.mark.usefixtures("toy_components")
def test_files_of_ones_own_are_shown_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "from auralsam2.registry import FUSIONS\n\n@FUSIONS.register_module()\nclass Own: ...\n"
    (tmp_path / "own.py").write_text(text)
    assert main(["fusion", "--json", "--import", "own.py"]) == 0
    assert "Own" in json.loads(capsys.readouterr().out)["fusion"]["components"]
    with pytest.raises(ImportError, match=r"cannot import '.*other\.py'"):
        main(["fusion", "--import", "other.py"])


def test_unknown_axes_are_all_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fusoin", "metrics"])
    assert caught.value.code == 2
    shown = capsys.readouterr().err
    assert "did you mean 'fusion'?" in shown and "did you mean 'metric'?" in shown


def test_names_of_one_component_share_a_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["pruner", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["pruner"]["components"]
    assert listed["median"] == listed["MedianPruner"]
    assert main(["pruner", "executor"]) == 0
    shown = capsys.readouterr().out
    assert "MedianPruner, median" in shown and "│ inline " in shown


def test_every_real_component_can_be_described() -> None:
    registries = all_registries()
    assert registries.keys() > {*REGISTRIES, "executor", "paper_part"}
    for axis, registry in registries.items():
        for name, component in registry.describe()["components"].items():
            if registry.lookup(name).__module__.startswith(
                ("auralsam2.", "ablations.", "analysis.")
            ):
                assert component["summary"], f"{axis} {name} has no docstring"
