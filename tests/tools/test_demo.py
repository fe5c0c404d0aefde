"""The options of the page, and what is told before it opens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the page is served with."""
    pytest.importorskip("uvicorn", reason="the extra 'demo' is not installed")
    from auralsam2.demo import models, serve

    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(serve, "serve", lambda *given: calls.append(given))
    monkeypatch.setattr(models, "predictors_of", lambda runs: {str(run): run for run in runs})
    return calls


def test_without_arguments_the_example_and_the_shipped_model_are_served(run, served: Any) -> None:
    run("demo")
    ((predictors, example, port, upload_mb, browser, _),) = served
    assert (predictors, port, upload_mb, browser) == ({}, None, 200, True)
    assert example.is_file() and example.suffix == ".mp4"


def test_options_reach_the_server(run, served: Any) -> None:
    options = ["--run", "a", "--run", "b", "--port", "8000", "--upload-mb", "5", "--no-browser"]
    run("demo", *options)
    ((predictors, _, port, upload_mb, browser, draw_sheet),) = served
    assert list(predictors.values()) == [Path("a"), Path("b")]
    assert (port, upload_mb, browser) == (8000, 5, False)
    assert draw_sheet.__name__ == "write_sheet"


def test_a_run_that_is_not_there_is_told(run) -> None:
    pytest.importorskip("uvicorn", reason="the extra 'demo' is not installed")
    assert "nowhere" in run("demo", "--run", "nowhere", status=2)


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, run) -> None:
    for name in [n for n in sys.modules if n.startswith("auralsam2.demo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "the page needs uvicorn: pip install 'auralsam2[demo]'" in run("demo", status=2)
