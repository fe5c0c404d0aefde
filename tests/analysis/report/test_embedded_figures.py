from __future__ import annotations

import base64
import io
import os
import pkgutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import analysis.figures
from analysis.clips.picks import RULES
from analysis.figures import grid_points, qualitative
from analysis.report import embedded_figures
from analysis.report.embedded_figures import figure_uri
from analysis.runs.results import load_runs


def test_figures_are_drawn_again_only_where_a_run_is_newer(
    grid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    for figure in (grid_points, qualitative):
        monkeypatch.setattr(figure, "make", lambda *_, name=figure.NAME: drawn.append(name))
    results, folder = load_runs(grid), grid / "figures"
    embedded_figures.draw_missing(results, folder)
    assert drawn == ["grid_points", "qualitative"]
    folder.mkdir()
    for name in drawn:
        (folder / f"{name}.png").write_bytes(b"drawn")
    embedded_figures.draw_missing(results, folder)
    assert len(drawn) == 2
    os.utime(folder / "grid_points.png", (1, 1))
    embedded_figures.draw_missing(results, folder)
    assert drawn[2:] == ["grid_points"]


def test_known_figures_come_first_and_large_numbers_stay_outside(tmp_path: Path) -> None:
    for name in ("my_own", "qualitative", "grid_points"):
        (tmp_path / f"{name}.png").write_bytes(b"drawn")
    (tmp_path / "my_own.csv").write_bytes(b"0" * 300_000)
    (tmp_path / "qualitative.csv").write_bytes(b"a,b")
    found = embedded_figures.collect(tmp_path)
    assert [figure.name for figure in found] == ["grid_points", "qualitative", "my_own"]
    assert [figure.numbers is not None for figure in found] == [False, True, False]
    assert found[2].caption == "My own."


def test_every_figure_has_a_caption() -> None:
    names = {f"failures_{rule.replace('-', '_')}" for rule in RULES}
    for _, name, _ in pkgutil.iter_modules(analysis.figures.__path__):
        module = import_module(f"analysis.figures.{name}")
        names |= {getattr(module, "NAME", "failures")}
    assert len(names) > 10 and names - {"failures"} <= embedded_figures.CAPTIONS.keys()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def test_figures_with_photographs_are_made_smaller_and_stay_what_they_are() -> None:
    line = png(np.zeros((40, 40, 3), np.uint8))
    assert figure_uri(line) == f"data:image/png;base64,{base64.b64encode(line).decode()}"
    across = np.linspace(0, 200, 700)[None, :, None] * np.ones((500, 1, 3))
    photograph = across + np.random.default_rng(0).normal(0, 12, (500, 700, 3))
    shown = np.clip(photograph, 0, 255).astype(np.uint8)
    content = png(shown)
    media, _, text = figure_uri(content).partition(";base64,")
    made = base64.b64decode(text)
    assert media == "data:image/webp" and len(made) < len(content) / 3
    again = np.asarray(Image.open(io.BytesIO(made)), dtype=float)
    assert again.shape == shown.shape
    assert abs(again[:, 350].mean() - shown[:, 350].mean()) < 3
