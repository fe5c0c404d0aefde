"""Every figure, drawn with nasty names: each name is there as it is written."""

from __future__ import annotations

import html
import json
import pkgutil
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import analysis.figures
from analysis.figures import (
    breakdown,
    clicks,
    dilution_curves,
    dilution_matrices,
    effects,
    efficiency,
    embedding_tsne,
    failures,
    figure_text,
    grid_points,
    prompting,
    qualitative,
    robustness,
    step_parts,
    style,
    sweep,
    training_curves,
)
from analysis.figures.figure_text import room, wrap_name
from analysis.figures.training_curves import LOSS
from analysis.report import charts
from analysis.runs.results import load_runs
from auralsam2.engine.benchmark.report import Part, Reading, Report, Spread
from auralsam2.text_files import write_text
from tests.analysis.planted import at_sites, masks_of, over_clips, points_of, write_log

FIGURES = {
    module: import_module(f"analysis.figures.{module}")
    for _, module, _ in pkgutil.iter_modules(analysis.figures.__path__)
}
GATHERED = {"benchmarks", "dilution", "embeddings"}
"""Modules that only call those of single figures."""
DRAWN = {name for name, module in FIGURES.items() if hasattr(module, "make")} - GATHERED


# One of each kind is enough where a figure does with its names what all of them do.
FEW = ("a$$b", "$5", "_ours", "{x}", "日本語", "\udcff", "new\nline", " lead", "n" * 60)


def captured(arms: tuple[str, ...], condition: str) -> pd.DataFrame:
    """Attention of every arm at three sites, all heads together and head 0."""
    how: dict[str, Any] = {"value": lambda site, **_: 0.1 * site, "heads": (-1, 0)}
    rows = at_sites("gain", **how) + at_sites("js", condition, at=range(4), **how)
    for quantity in ("output_change", "token_signal", "token_cosine"):
        rows += at_sites(quantity, condition, **how)
    return over_clips(dict.fromkeys(arms, rows))


@pytest.fixture
def nasty_sweep(tmp_path: Path) -> Path:
    """A sweep with nasty objectives, and a parameter whose choices are."""
    choices = list(FEW)
    folder = tmp_path / "sweep"
    folder.mkdir()
    manifest = {
        "schema": 1,
        "title": FEW[0],
        "objectives": [dict(metric=m, direction="maximize") for m in FEW[:3]],
        "parameters": {
            "model.fusion": dict(type="categorical", choices=choices, when={}),
            "optim.lr": dict(type="float", low=0.1, high=0.3, log=True, step=None, when={}),
            "optim.wd": dict(type="float", low=1e-5, high=1.0, log=True, step=None, when={}),
        },
    }
    (folder / "sweep.json").write_text(json.dumps(manifest))
    trials = pd.DataFrame({"number": range(len(choices)), "state": "complete", "base": 0})
    trials["best"], trials["model.fusion"] = 0, choices
    trials["optim.lr"], trials["optim.wd"] = np.linspace(0.1, 0.3, len(choices)), 0.01
    for place, objective in enumerate(FEW[:3]):
        trials[objective] = np.linspace(0, 1, len(choices)) ** (place + 1)
    write_text(folder / "trials.csv", trials.to_csv(index=False))
    return folder


@pytest.fixture
def draw(
    nasty_grid: Callable[..., Path],
    nasty_sweep: Path,
    nasty_names: tuple[str, ...],
    save_predictions: Callable[..., None],
    planted_robustness: Callable[..., Any],
    drawn: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Callable[[], object]]:
    """Name of a figure's module -> draws it with nasty names, and checks them."""

    def of_grid(make: Callable[..., object], *shown: str, **what: Any) -> Callable[[], None]:
        def call() -> None:
            make(load_runs(nasty_grid(**what)), tmp_path)
            drawn.check(*shown)

        return call

    def curves() -> None:
        for names in (FEW[:4], FEW[2:]):
            folder = nasty_grid(names, metrics=FEW[:2])
            for run_dir in folder.glob("runs/*/"):
                line = {"iter": 1, "step": 1, "loss": 2.0, "loss__x": 1.0, "loss_$5": 1.0}
                write_log(run_dir, [line, {"step": 1, **dict.fromkeys(FEW[:2], 0.5)}])
            training_curves.make(load_runs(folder), tmp_path)
        drawn.check(*FEW, "_x loss", "$5 loss")

    def clips() -> None:
        shown = [clip for clip in FEW if clip != "\udcff"]  # indices of clips are proper texts
        folder = nasty_grid(FEW[:3], shown, splits=("test", "test_audio_swapped"))
        for run_dir in folder.glob("runs/*/"):
            save_predictions(run_dir, 3, shown, 1, (12, 16))
        qualitative.make(load_runs(folder), tmp_path, num_clips=len(FEW))
        drawn.check(*shown, *FEW[:3])

    def sheets() -> None:
        blank = np.zeros((2, 6, 8), np.uint8)
        blank[:, 2:4, 2:4] = 1
        planted = lambda run_dir, names, **_: {n: masks_of(n, blank, blank) for n in names}  # noqa: E731
        monkeypatch.setattr(failures, "clip_masks", planted)
        results = load_runs(nasty_grid(FEW, FEW))
        failures.make(results, tmp_path, num_clips=4, cells=FEW[1:3])
        failures.make(results, tmp_path, num_clips=1, cells=FEW[3:])
        drawn.check(*FEW)

    def dilution(
        make: Callable[..., object], arms: tuple[str, ...], **what: bool
    ) -> Callable[[], None]:
        def call() -> None:
            make(captured(arms, "a$b$c_d"), tmp_path, condition="a$b$c_d", **what)
            drawn.check(*arms, r"a\$b\$c_d")

        return call

    def spaces() -> None:
        two = dict.fromkeys(("audio", "foreground", "background"), 2)
        points = points_of(len(FEW), num_levels=1, kinds=two, category=FEW.__getitem__)
        numbers = embedding_tsne.collect(dict.fromkeys(FEW[:6], points), perplexities=[3])
        for make in (embedding_tsne.make, embedding_tsne.make_perplexities):
            drawn.figures.clear()
            make(numbers, tmp_path)
            drawn.check(*FEW)
        assert set(numbers.classes) == set(FEW)

    def sweeps() -> None:
        sweep.make(nasty_sweep, tmp_path)
        drawn.check(*FEW[:5], r"\udcff", *FEW[6:])

    def bars() -> None:
        one = Spread(1.0, 1.0, 1.0)
        reading = Reading(
            name="evaluated clip", parts={name: Part(one, 0, 0.0, 0) for name in FEW},
            total=one, plain=one, cpu=one, steps=1, shape=(1,), peak_operations=1.0,
            dtype="float32", memory="",
        )  # fmt: skip
        report = Report(None, reading, {}).to_json()
        step_parts.make([{"axis": "", "values": {"": report}}], tmp_path, "bars")
        drawn.check(*FEW)

    def axes() -> None:
        names = [f"{row}{column}" for row in FEW[:3] for column in FEW[3:6]]
        results = load_runs(nasty_grid(names, metrics=("n_1$2$",), splits=("s$s$",)))
        places = [{FEW[6]: row, FEW[7]: column} for row in FEW[:3] for column in FEW[3:6]]
        results = replace(results, axes=dict(zip(names, places, strict=True)))
        effects.make(results, tmp_path)
        drawn.check(*FEW[:8], "n_1$2$", "s$s$")

    def kinds() -> None:
        clips = ["1", "2", "3", "4", "5", "6"]
        frame = pd.DataFrame({"clip": clips, "size": 0.1, "empty": 0.0, "seen": None})
        frame["classes"] = [[FEW[n], FEW[n + 3]] for n in range(6)]
        known = lambda *_: ({"s$s$": frame}, [])  # noqa: E731
        monkeypatch.setattr(breakdown, "clip_labels", known)
        results = load_runs(nasty_grid(FEW[:2], clips, metrics=("n_1$2$",), splits=("s$s$",)))
        breakdown.make(results, tmp_path)
        drawn.check(*FEW, "n_1$2$", "s$s$")

    def ways() -> None:
        one = Spread(1.0, 1.0, 1.0)._asdict()
        events = dict.fromkeys(prompting.EVENTS, one)
        way = dict.fromkeys(("seconds", "cpu", "lost", "lost_cpu"), events)
        way |= {"passes": dict.fromkeys(events, 1), "parts": dict.fromkeys(FEW, one)}
        found = {"ways": dict.fromkeys(FEW, way), "num_frames": 2, "again": 1}
        conditions = {"device": "cpu", "num_threads": 1}
        prompting.make({**found, "conditions": conditions}, tmp_path, "speed")
        drawn.check(*FEW)

    def corrupted() -> None:
        robustness.make(planted_robustness(dict.fromkeys(FEW[:5], 0.1)), tmp_path)
        drawn.check(*FEW[:5])

    return {
        "robustness": corrupted,
        "grid_points": of_grid(
            grid_points.make, *nasty_names, "n_1$2$", "s$s$", "test, audio {x}", " s",
            metrics=("n_1$2$",), splits=("s$s$", "_s", "test_audio_{x}"),
        ),
        "efficiency": of_grid(efficiency.make, *FEW, names=FEW),
        "clicks": of_grid(
            clicks.make, *FEW, "s$s$, whole clips", " s, whole clips", names=FEW,
            metrics=("n_1$2$", "unclicked/n_1$2$"),
            splits=[f"{s}{end}" for s in ("s$s$", "_s") for end in ("", "_clicks_0", "_clicks_1")],
        ),
        "effects": axes,
        "breakdown": kinds,
        "training_curves": curves,
        "qualitative": clips,
        "failures": sheets,
        "dilution_curves": dilution(dilution_curves.make, FEW),
        "dilution_matrices": dilution(dilution_matrices.make, FEW, heads=True),
        "embedding_tsne": spaces,
        "prompting": ways,
        "step_parts": bars,
        "sweep": sweeps,
        "sweep_importance": sweeps,
        "sweep_slice": sweeps,
    }  # fmt: skip


# Those of a sweep are drawn together.
@pytest.mark.parametrize("name", sorted(n for n in DRAWN if not n.startswith("sweep_")))
def test_every_figure_shows_nasty_names_as_they_are(name: str, draw: dict[str, Any]) -> None:
    draw[name]()


def test_every_figure_of_a_sweep_is_among_those_drawn_together() -> None:
    of_a_sweep = {make.__module__.rpartition(".")[2] for make in sweep.FIGURES}
    assert {name for name in DRAWN if name.startswith("sweep")} == of_a_sweep


def test_a_chart_of_a_page_shows_nasty_names() -> None:
    lines = dict.fromkeys(FEW[:6], ((1, 2), (1.0, 2.0)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = charts.draw(charts.Chart("t", LOSS, lines), "key")
    texts = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    shown = re.sub(r"\s", "", "".join(html.unescape(re.sub("<[^>]*>", "", text)) for text in texts))
    for name in FEW[:6]:
        assert re.sub(r"\s", "", name.replace("\udcff", "[U+DCFF]")) in shown


def test_letters_of_another_installed_face_are_drawn_with_it() -> None:
    with style.paper_style():
        text = Figure().text(0, 0, "Ünicode \u0531")  # Armenian, which STIX lacks
        assert figure_text.settle_text(text) == []
    assert text.get_fontfamily() == ["serif", "DejaVu Sans"]
    assert text.get_text() == "Ünicode \u0531"


def test_what_no_face_has_is_said_once_and_in_the_picture(tmp_path: Path, drawn: Any) -> None:
    with (
        style.paper_style(),
        pytest.warns(UserWarning, match="no installed font has them: 日") as said,
    ):
        figure = style.new_figure("column", 1.0)
        figure.text(0, 0, "日 and 日")
        style.save(figure, pd.DataFrame({"cell": ["日"]}), tmp_path, "f")
    assert len(said) == 1
    assert [text.get_text() for text in drawn.texts()] == ["[U+65E5] and [U+65E5]"]
    assert pd.read_csv(tmp_path / "f.csv")["cell"].tolist() == ["日"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("none", ["none"]),
        ("sparse+dense, audio swapped", ["sparse+dense,", "audio swapped"]),
        ("TwoWayCrossAttentionFusion", ["TwoWayCross", "AttentionFusion"]),
        ("ReleasedTPAVIFusion", ["ReleasedTPAVI", "Fusion"]),
        ("GRUFusion levels=3", ["GRUFusion", "levels=3"]),
        ("x" * 20, ["x" * 16, "xxxx"]),
    ],
)
def test_names_break_where_words_end(name: str, lines: list[str]) -> None:
    assert wrap_name(name, 16).split("\n") == lines
    assert wrap_name(name, 16).replace("\n", "").replace(" ", "") == name.replace(" ", "")


def test_letters_take_the_room_that_they_are_shown_with() -> None:
    with style.paper_style():
        # A private letter stands there as [U+E000], a combining one takes no room.
        assert [room(text) for text in ("ab", "a\ue000", "e\u0301", "\x1b", "n\n")] == [
            2,
            9,
            1,
            8,
            2,
        ]
        assert wrap_name("\ue000" * 3, 16) == "\ue000\ue000\n\ue000"
