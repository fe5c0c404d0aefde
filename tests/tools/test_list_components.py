from __future__ import annotations

import json
from pathlib import Path

import pytest
from auralsam2_tools.list_components import all_registries, main

from auralsam2.registry import REGISTRIES


@pytest.mark.usefixtures("toy_components")
def test_json_holds_contract_summary_and_arguments(run) -> None:
    REGISTRIES["fusion"].lookup("SumFusion").__doc__ = "Add the\nstreams.\n\nMore."
    listing = json.loads(run("list-components", "fusion", "sparse-prompt", "--json"))
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
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    @REGISTRIES["fusion"].register_module()
    class Bracket:
        """Uses [red] text."""

        def __init__(self, sizes=[1]) -> None: ...  # noqa: B006

    monkeypatch.setenv("COLUMNS", "120")
    shown = run("list-components", "fusion")
    assert "Uses [red] text." in shown and "sizes=[1]" in shown
    assert "never mixes clips" in shown


@pytest.mark.usefixtures("toy_components")
def test_arguments_without_a_default_are_marked(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = run("list-components", "projector", "dataset")
    assert "channels (given), dim (required)" in shown
    assert "dataset (required), seed=0" in shown


@pytest.mark.usefixtures("toy_components")
def test_files_of_ones_own_are_shown_too(
    tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "from auralsam2.registry import FUSIONS\n\n@FUSIONS.register_module()\nclass Own: ...\n"
    (tmp_path / "own.py").write_text(text)
    assert (
        "Own"
        in json.loads(run("list-components", "fusion", "--json", "--import", "own.py"))["fusion"][
            "components"
        ]
    )
    with pytest.raises(ImportError, match=r"cannot import '.*other\.py'"):
        main(["fusion", "--import", "other.py"])


def test_unknown_axes_are_all_named(run) -> None:
    shown = run("list-components", "fusoin", "metrics", status=2)
    assert "did you mean 'fusion'?" in shown and "did you mean 'metric'?" in shown


def test_names_of_one_component_share_a_row(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    listed = json.loads(run("list-components", "pruner", "--json"))["pruner"]["components"]
    assert listed["median"] == listed["MedianPruner"]
    shown = run("list-components", "pruner", "executor")
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
