from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from analysis.figures.training_curves import LOSS, SCORE
from analysis.report.charts import Chart, collect, draw
from auralsam2.engine.run_record import RunRecord
from tests.analysis.planted import write_log


def training(step: int, loss: float, **others: float) -> dict:
    return {"loss": loss, "lr": 0.1, "time": 1.0, "epoch": 1, "iter": step, "step": step, **others}


def test_losses_of_all_sessions_where_the_last_one_wins(tmp_path: Path) -> None:
    write_log(tmp_path, [training(10, 3.0), training(20, 9.0)], session="20260101")
    later = [training(20, 2.0), training(30, float("nan"))]
    write_log(tmp_path, later, session="20260102", tail='{"loss": 1')
    (chart,) = collect({7: (RunRecord(), tmp_path)})
    assert chart == Chart("Training loss", LOSS, {"seed 7": ((10, 20), (3.0, 2.0))})


def test_terms_of_the_first_seed_and_scores_of_all(tmp_path: Path) -> None:
    for seed in (0, 1):
        terms = dict(loss_mask=1.0 + seed, loss_dice=2.0)
        validation = {"J": 0.5 + seed, "data_time": 0.1, "time": 0.2, "step": 1}
        write_log(tmp_path / str(seed), [training(10, 3.0, **terms), validation])
    charts = collect({seed: (RunRecord(), tmp_path / str(seed)) for seed in (0, 1)})
    assert [c.title for c in charts] == [
        "Training loss",
        "Terms of the loss, seed 0",
        "J on validation clips",
    ]
    assert charts[1].lines == {"mask": ((10,), (1.0,)), "dice": ((10,), (2.0,))}
    assert charts[2].lines == {"seed 0": ((1,), (0.5,)), "seed 1": ((1,), (1.5,))}
    assert [chart.kind for chart in charts] == [LOSS, LOSS, SCORE]


def test_the_record_s_own_validations_come_first(tmp_path: Path) -> None:
    write_log(tmp_path, [{"J": 0.9, "step": 1}])
    curve = [{"epoch": 2, "split": "val", "scores": {"J": 0.4}}]
    (chart,) = collect({0: (RunRecord(curve=curve), tmp_path)})
    assert chart.lines == {"seed 0": ((2,), (0.4,))}
    assert collect({0: (RunRecord(), tmp_path / "nothing")}) == []


@pytest.mark.parametrize("values", [(3.0, 0.5), (0.0, -1.0)])
def test_a_drawing_is_an_element_in_the_page_s_colours(values: tuple[float, float]) -> None:
    label = "<script> $x_"  # no formula, no element
    chart = Chart("Loss", LOSS, {label: ((1, 2), values)})
    text = draw(chart, "chart3")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "width" not in root.attrib
    assert label in "".join(root.itertext()) and "<script>" not in text
    assert "currentColor" in text and "#010203" not in text
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert ids and all(name.startswith("chart3-") for name in ids) and len({*ids}) == len(ids)
    used = {value[1:] for e in root.iter() for k, value in e.attrib.items() if k.endswith("href")}
    assert used <= set(ids)
    assert draw(chart, "chart3") == text
