"""All protocols in one pass agree with ordinary evaluations, one a setting."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.engine.evaluate import evaluate_model, trained_model
from auralsam2.engine.protocols import (
    SIZES,
    Comparison,
    ProtocolRow,
    _Columns,
    evaluate_protocols,
    write_rows,
)
from auralsam2.engine.splits import test_datasets as build_tests
from auralsam2.metrics.protocols import protocols
from auralsam2.metrics.repositories import REPOSITORIES
from auralsam2.models.decode import DECODE_MODES, decode_mode


def test_rows_equal_separate_evaluations(tiny_config: Any) -> None:
    datasets = {"test": build_tests(tiny_config)["test"]}
    model = trained_model(tiny_config, None)
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    rows = evaluate_protocols(model, tiny_config, datasets, group_size=2)
    assert len(calls) == 2, "3 clips in batches of 2, once each"
    columns = [row for row in rows if "/" in row.metric]
    rows = [row for row in rows if row not in columns]
    assert len(rows) == len(DECODE_MODES) * len(SIZES) * len(protocols(2))
    assert {row.metric: row.meaning for row in rows} == {p.name: p.meaning for p in protocols(2)}
    check_columns(columns, tiny_config, model, datasets)
    values = {row[:4]: row.value for row in rows}
    assert len(values) == len(rows)
    for decode, side in (
        ("first", "224"),
        ("first", "256:widened"),
        ("iou_occ_select_released", "native"),
    ):
        model.decode = decode_mode(decode)
        size, widen = Comparison.parse(side)
        how = dict(size=size, widen_truth=widen)
        tiny_config.evaluation.metrics = [
            dict(type="JaccardMetric", **how),
            dict(type="FScoreMetric", **how),
            dict(type="FScoreMetric", **how, group_size=2, prefix="batch"),
        ]
        result = evaluate_model(model, tiny_config, datasets).splits["test"]
        assert set(result.per_clip) == {"J", "F", "batch/F"}
        for metric, key in (("J_clip", "J"), ("F_clip", "F"), ("F_batch2", "batch/F")):
            assert values["test", decode, side, metric] == pytest.approx(result.metrics[key])


def check_columns(columns: list[ProtocolRow], cfg: Any, model: Any, datasets: Any) -> None:
    """J and F of every repository but the one of classes, as its metrics in a config give them."""
    masks = [each for each in REPOSITORIES if not each.of_classes]
    assert [row.metric for row in columns] == [
        f"{each.name}/{key}" for each in masks for key in "JF"
    ]
    assert {row.decode for row in columns} == {cfg.evaluation.decode}
    shown = ("SAMA-AVS", "Ref-AVS", "AL-Ref-SAM2")
    picked = {each.name: each.metrics for each in masks if each.name in shown}
    cfg.evaluation.metrics = [
        dict(**node, prefix=name) for name, own in picked.items() for node in own.values()
    ]
    result = evaluate_model(model, cfg, datasets).splits["test"].metrics
    for row in columns:
        if row.metric.split("/")[0] in picked:
            assert row.value == pytest.approx(result[row.metric]), row.metric
    sizes = {row.metric.split("/")[0]: row.size for row in columns}
    assert [sizes[name] for name in ("GAVS", *shown)] == ["native", "1024", "256:widened", "224"]


def clip_of_classes(any_object: bool) -> dict[str, Any]:
    classes = torch.tensor([[[0, 0], [3, 3]]]) * any_object
    logits = 5.0 * torch.nn.functional.one_hot(classes, 4).permute(0, 3, 1, 2)
    return dict(
        clip="a",
        mask_logits=torch.ones(1, 2, 2),
        masks=(classes > 0).byte(),
        supervised=torch.ones(1, dtype=torch.bool),
        class_logits=logits,
        predicted_classes=classes,
        semantic=classes,
    )


def test_classes_and_null_splits_have_their_own_scores() -> None:
    shown = {}
    for any_object in (True, False):
        columns = _Columns(dataset=None)
        columns.process({}, [clip_of_classes(any_object)])
        shown[any_object] = {row.metric: row.value for row in columns.rows("test", "first", 1, 0)}
    # Ten frames count, nine of them as background; the classes 1 and 2 never occur.
    assert shown[True]["AVSS/J"] == pytest.approx(2 / 4)
    assert "ours/S" not in shown[True]
    assert {k: v for k, v in shown[False].items() if k.endswith("/S")} == pytest.approx(
        {"Ref-AVS/S": 1.0, "AuralSAM2/S": 1.0, "ours/S": 1.0}
    )


def test_csv_has_one_line_a_score(tmp_path: Path) -> None:
    rows = [ProtocolRow("test", "first", "224", "J_clip", 0.25, "mean over clips", 3, 1)]
    write_rows(rows, tmp_path / "new" / "scores.csv")
    with (tmp_path / "new" / "scores.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines == [
        dict(
            split="test",
            decode="first",
            size="224",
            metric="J_clip",
            value="0.25",
            meaning="mean over clips",
            num_clips="3",
            left_out="1",
        )
    ]


@pytest.mark.parametrize("side", ["native", "224", "256:widened"])
def test_a_comparison_is_written_as_it_is_read(side: str) -> None:
    assert str(Comparison.parse(side)) == side


@pytest.mark.parametrize("wrong", ["small", "0", "-3", "native:widened", ":widened", "2.5", ""])
def test_other_sizes_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=f"got '{wrong}'; give native"):
        Comparison.parse(wrong)
