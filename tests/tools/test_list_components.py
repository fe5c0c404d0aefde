from __future__ import annotations

import json

import pytest
from auralsam2_tools.list_components import describe, main

from auralsam2.registry import REGISTRIES


@pytest.mark.usefixtures("toy_components")
def test_json_holds_contract_summary_and_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    REGISTRIES["fusion"].lookup("SumFusion").__doc__ = "Add the\nstreams.\n\nMore."
    assert main(["fusion", "sparse-prompt", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert list(listing) == ["fusion", "sparse_prompt"]
    assert listing["fusion"]["contract"] == REGISTRIES["fusion"].contract
    assert listing["fusion"]["components"]["SumFusion"] == {
        "summary": "Add the streams.",
        "arguments": ["channels", "num_heads=4", "inner=None"],
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


def test_unknown_axes_are_all_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fusoin", "metrics"])
    assert caught.value.code == 2
    shown = capsys.readouterr().err
    assert "did you mean 'fusion'?" in shown and "did you mean 'metric'?" in shown


def test_every_real_component_can_be_described() -> None:
    for axis, registry in REGISTRIES.items():
        for name, component in describe(registry)["components"].items():
            if registry.lookup(name).__module__.startswith("auralsam2."):
                assert component["summary"], f"{axis} {name} has no docstring"
