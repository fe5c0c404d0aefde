"""Every reader takes a metric's direction from the record, whatever the metric is called."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from analysis import tables
from analysis.clips import picks as clip_picks
from analysis.clips.picks import RULES, best_first, pick
from analysis.figures import efficiency, grid_points
from analysis.report.clips import choose
from analysis.report.summary import best_cell, primary_column
from analysis.runs.comparable import MixedDataError
from analysis.runs.results import Results, load_runs
from analysis.runs.splits import table_columns
from analysis.tables import best_cells, make_table, pairs, to_markdown
from auralsam2.engine import run_record
from auralsam2.engine.metric_scales import MetricScale, scale_of_older, scales_of
from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.registry import METRICS, load_all

ROOT = Path(__file__).parents[2]
READERS = ("analysis", "ablations", "tools", "auralsam2/engine")
SCORES = {
    "b": {"x": 0.5, "y": 0.7, "z": 0.2},
    "a": {"x": 0.9, "y": 0.4, "z": 0.8},
    "c": {"x": 0.1, "y": 0.2, "z": 0.3},
}
UP, DOWN = MetricScale(bounds=(0.0, 1.0)), MetricScale(higher_is_better=False)


@pytest.fixture
def read(exact: Callable[..., Path]) -> Callable[..., Results]:
    """Read a grid whose only metric has the given scale; less is some times (1 - score)."""

    def load(
        scale: MetricScale, metric: str = "E", times: float | None = None, **fields: object
    ) -> Results:
        times = times or (1 if scale.bounds else 10)

        def turned(score: float) -> float:
            return score if scale.higher_is_better else times * (1 - score)

        def of(cell: str, shift: float) -> dict:
            numbered = enumerate(SCORES[cell].items())
            return {metric: {clip: turned(v - number * shift) for number, (clip, v) in numbered}}

        splits = {
            cell: {"test": of(cell, 0), "test_audio_swapped": of(cell, 0.1)} for cell in SCORES
        }
        fields = {"scales": {metric: scale.to_json()}, **fields}
        folder = exact({(cell, 0): held for cell, held in splits.items()}, **fields)
        return load_runs(folder)

    return load


def _bold(results: Results) -> list[str]:
    best = best_cells(make_table(results))
    return [cell for cell in results.cells if best.loc[cell].any()]


def _clips(results: Results) -> tuple[list[str], list[str]]:
    scale = results.scale("E")
    rows = results.scores[(results.scores["cell"] == "b") & (results.scores["split"] == "test")]
    scores = dict(rows[["clip", "value"]].itertuples(index=False, name=None))
    return choose(scores, 1, higher_is_better=scale.higher_is_better)


def _front(results: Results) -> list[str]:
    results.runs["num_trainable"] = [1.0, 2.0, 3.0]
    numbers = efficiency.collect(results)
    assert numbers is not None
    return list(numbers.points.loc[numbers.points["front"], "cell"])


QUESTIONS: dict[str, Callable[[Results], object]] = {
    "bold": _bold,
    "best cell of a page": lambda results: best_cell(make_table(results)),
    "column of a page": lambda results: primary_column(make_table(results)),
    "cells in order": lambda results: best_first(results, ("test", "E"), results.cells),
    "worst and best clips": _clips,
    "front": _front,
    **{f"rule {rule}": lambda r, rule=rule: pick(r, rule, num_clips=1).clips for rule in RULES},
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_score_and_its_reverse_get_the_same_answer(question: str, read) -> None:
    higher, lower = (QUESTIONS[question](read(scale)) for scale in (UP, DOWN))
    assert higher == lower and higher


def test_what_is_lower_better_says_so(read) -> None:
    results = read(DOWN)
    text = tables.footnote(make_table(results))
    assert "lower is better in E;" in text
    assert "lower is better" not in tables.footnote(make_table(read(UP)))
    assert clip_picks.pick(results, "lowest", num_clips=1).title.startswith("Highest E of b")


def test_a_metric_without_bounds_is_drawn_whole(read) -> None:
    for scale, top in ((DOWN, 1.08 * 10 * (1 - 0.1)), (UP, 1.08 * 0.7)):
        numbers = grid_points.collect(read(scale))
        panel = Figure().subplots()
        grid_points.draw(numbers, [panel])
        assert panel.get_ylim() == pytest.approx((0, top), rel=0.01)
        lower = "" if scale.higher_is_better else "\nlower is better"
        assert panel.get_ylabel() == f"E (mean over clips){lower}"


def test_negative_scores_are_seen(read) -> None:
    numbers = grid_points.collect(read(MetricScale()))
    points = numbers.points.assign(value=-numbers.points["value"])
    panel = Figure().subplots()
    grid_points.draw(numbers._replace(points=points), [panel])
    low, high = panel.get_ylim()
    assert low < points["value"].min() and high == 0


def test_a_prefix_hides_no_direction(read) -> None:
    """Two null metrics of one run stand apart by their prefix."""
    null = METRICS.build(dict(type="NullMetric", prefix="small"))
    (name, scale), *_ = scales_of([null]).items()
    assert name == "small/S" and not scale.higher_is_better
    for fields in ({}, {"scales": {}}):  # written now, and before there were scales
        results = read(scale, name, **fields)
        assert results.scale(name) == scale and _bold(results) == ["a"]


def test_runs_that_read_a_metric_differently_do_not_stand_together(read) -> None:
    folder = Path(read(DOWN).runs["run_dir"][0]).parents[1]
    record = run_record.read(folder / "runs/1")
    record.scales = {"E": UP.to_json()}
    run_record.write(record, folder / "runs/1")
    with pytest.raises(MixedDataError, match="metric E is not the same one in all runs"):
        load_runs(folder)
    results = load_runs(folder, allow_mixed_data=True)
    assert results.scale("E") == DOWN and "read as the first of them" in results.notes[-1]


def test_a_record_without_scales_is_read_as_older_code_did(read) -> None:
    results = read(DOWN, scales={})
    assert results.scale("E").higher_is_better and _bold(results) == ["c"]


# Those that there were before records said how to read them.
OLDER = ("AreaMetric", "FScoreMetric", "JaccardMetric", "NullMetric")


def _own_metrics() -> list[str]:
    load_all()
    return [n for n in METRICS.names() if issubclass(METRICS.lookup(n), ClipMetric)]


@pytest.mark.parametrize("name", OLDER)
def test_older_records_of_every_metric_of_their_time_read_as_newer_ones(name: str, read) -> None:
    metric = METRICS.build(dict(type=name))
    (scale,) = scales_of([metric]).values()
    assert scale.bounds == (0.0, 1.0) and scale == scale_of_older(metric.key)
    assert MetricScale.from_json(scale.to_json()) == scale
    newer, older = read(scale, metric.key), read(scale, metric.key, scales={})
    assert table_columns(newer) == table_columns(older)
    assert best_cells(make_table(newer)).equals(best_cells(make_table(older)))
    assert pairs(make_table(newer).mean)


def test_no_reader_knows_a_metric_by_its_name() -> None:
    keys = {METRICS.lookup(name).key for name in _own_metrics()}
    found = []
    for path in (p for folder in READERS for p in (ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {  # what a help text or a table calls something decides nothing
            id(node)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            and getattr(call.func, "attr", getattr(call.func, "id", ""))
            in ("add", "add_argument", "add_column")
            for node in ast.walk(call)
        }
        told |= {  # nor does the one that is asked for where nothing is said
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "metric"
        }
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in keys and id(node) not in told
        ]
    older = "auralsam2/engine/metric_scales.py"
    fixtures = "auralsam2/engine/parity/"  # numbers of others, under letters of theirs
    found = [where for where in found if not where.startswith(fixtures)]
    assert [where for where in found if not where.startswith(older)] == []
    assert len(found) == len(OLDER), "what older code knew stands in one place"


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (dict(bounds=(1, 0)), r"bounds got \(1, 0\)"),
        (dict(bounds=(0, float("inf"))), "bounds got"),
        (dict(bounds=0.5), "bounds got 0.5"),
        (dict(subject="sound"), "subject got 'sound'; known: object, null, area"),
    ],
)
def test_a_class_that_states_nonsense_is_told(stated: dict, message: str) -> None:
    metric = type("Own", (), {"name": "E", "higher_is_better": True, **stated})()
    with pytest.raises(ValueError, match=f"metric E: {message}"):
        scales_of([metric])


def test_a_score_of_all_clips_at_once_is_told_from_their_mean(exact) -> None:
    folder = exact({("b", 0): {"test": {"F": {"x": 0.2, "y": 0.4}}}}, metrics={"test": {"F": 0.5}})
    results = load_runs(folder)
    (note,) = results.notes
    assert note == (
        "F is the mean over clips, as intervals and tests are; the runs themselves report F "
        "(split), as of all clips of a split at once (0.500 for 0.300 in b, seed 0, test)"
    )
    table = make_table(results, spread="interval")
    shown = {("test", "F"): pytest.approx(0.3), ("test", "F (split)"): 0.5}
    assert table.mean.loc["b"].to_dict() == shown
    assert results.scale("F (split)") == results.scale("F")
    assert set(table.intervals["metric"]) == {"F"}
    assert "F (split)" in to_markdown(table) and "0.500" in to_markdown(table)


def test_bounds_that_scores_leave_are_not_believed(read) -> None:
    scale = MetricScale(higher_is_better=False, bounds=(0.0, 1.0))
    results = read(scale, times=10)
    assert results.scale("E") == scale._replace(bounds=None)
    assert results.notes[-1] == (
        "E has scores from 1 to 10, beyond its bounds 0 to 1; it is read as without bounds"
    )
