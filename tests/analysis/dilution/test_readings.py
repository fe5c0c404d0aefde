"""Planted readings give known rows; a run's rows are kept in its folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.dilution import readings as module
from analysis.dilution.readings import COLUMNS, DilutionReadings, frame_rows, to_frame
from auralsam2.engine.probing import NO_PROMPTS, TRUE, FrameReadings, Reading

N = 4
INSIDE, OUTSIDE = np.array([1.0, 0, 0, 0]), np.array([0, 0, 0, 1.0])
COVERAGE = INSIDE  # the mask covers the first of four positions


def reading(mask_attention, *, scale=1.0, num_tokens=6):
    attention = np.full((2, num_tokens, N), 0.25)
    attention[:, 2:6] = mask_attention
    return Reading(
        attention=attention,
        output=np.ones((num_tokens, 3)) * scale,
        tokens=np.ones((num_tokens, 3)) * scale,
        keys=np.ones((N, 3)) * scale,
    )


def rows_of(frame):
    return pd.DataFrame(frame_rows(frame), columns=list(COLUMNS))


@pytest.fixture
def rows():
    true = [reading(INSIDE), reading(0.5 * INSIDE + 0.5 * OUTSIDE), reading(OUTSIDE)]
    swapped = [reading(OUTSIDE, scale=3.0), reading(OUTSIDE), reading(OUTSIDE)]
    return rows_of(
        FrameReadings(
            clip="a",
            frame=1,
            coverage=COVERAGE,
            conditions={TRUE: true, "swapped": swapped},
            swapped_at={("swapped", 0): swapped, ("swapped", 1): true},
        )
    )


def select(rows, quantity, *, swapped_at=0, head=-1):
    chosen = rows[
        (rows["quantity"] == quantity)
        & (rows["swapped_at"] == swapped_at)
        & (rows["head"] == head)
        & (rows["tokens"] == "mask")
    ]
    return list(chosen.sort_values("site")["value"])


def test_gain_of_planted_attention(rows):
    assert select(rows, "gain") == pytest.approx([1.0, (0.5 - 0.25) / 0.75, -1 / 3])
    assert select(rows, "gain", head=1) == pytest.approx(select(rows, "gain"))


def test_effect_of_planted_attention(rows):
    half = np.array([0.5, 0, 0, 0.5])
    mean = (half + OUTSIDE) / 2
    js = 0.5 * (0.5 * np.log(0.5 / mean[0]) + 0.5 * np.log(0.5 / mean[3]) - np.log(mean[3]))
    assert select(rows, "js") == pytest.approx([np.log(2), js, 0.0])
    assert select(rows, "js", swapped_at=1) == pytest.approx([np.log(2), js, 0.0])
    assert select(rows, "js", swapped_at=2) == pytest.approx([0.0, 0.0, 0.0])


def test_signal_of_planted_vectors(rows):
    # 1 against 3: the difference 2 over the mean length 2.
    for quantity in ("output_change", "token_signal", "key_signal_inside", "key_signal_outside"):
        assert select(rows, quantity) == pytest.approx([1.0, 0.0, 0.0])
    cosine = select(rows, "token_cosine")
    assert cosine[0] == pytest.approx(1.0) and np.isnan(cosine[1:]).all()


def test_prompt_tokens_have_rows_of_their_own():
    frame = FrameReadings("a", 0, COVERAGE, {TRUE: [reading(INSIDE, num_tokens=8)] * 3}, {})

    gains = rows_of(frame).query("quantity == 'gain' and head == -1 and site == 1")

    assert dict(zip(gains["tokens"], gains["value"])) == pytest.approx({"mask": 1.0, "prompt": 0.0})


def test_names_of_conditions_are_those_of_the_engine():
    assert module.NO_PROMPTS == NO_PROMPTS


def test_signals_are_of_all_prompts_together(rows):
    single = rows[rows["swapped_at"] > 0]
    assert set(single["quantity"]) == {"js", "output_change"}


def test_objects_are_averaged_in_their_frame():
    outside = FrameReadings("a", 0, COVERAGE, {TRUE: [reading(OUTSIDE)] * 3}, {})
    inside = outside._replace(conditions={TRUE: [reading(INSIDE)] * 3})
    full = outside._replace(coverage=np.ones(N))  # no gain can be

    numbers = to_frame(row for one in (outside, inside, full) for row in frame_rows(one))

    gains = numbers.query("quantity == 'gain' and head == -1")["value"]
    assert list(gains) == pytest.approx([(1 - 1 / 3) / 2] * 3)


def test_conditions_without_any_effect_have_no_rows():
    true, other = [reading(INSIDE)] * 3, [reading(OUTSIDE)] * 3
    silent = FrameReadings("a", 0, COVERAGE, {TRUE: true, "swapped": true, "noise": true}, {})
    heard = silent._replace(frame=1, conditions={TRUE: true, "swapped": other, "noise": true})

    numbers = to_frame(row for one in (silent, heard) for row in frame_rows(one))

    assert set(numbers["condition"]) == {TRUE, "swapped"}
    js = numbers.query("quantity == 'js' and head == -1 and site == 1").set_index("frame")["value"]
    assert js[0] == 0 and js[1] == pytest.approx(np.log(2))


@pytest.fixture(scope="module")
def boxes(write_scored: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with box prompts; its data have moved."""
    from auralsam2 import config
    from auralsam2.data.synthetic.writer import Plan, write_clips

    folder = tmp_path_factory.mktemp("boxes")
    write_clips(folder / "data", Plan("v1m", (1, 1, 3), seed=3, size=64, num_frames=2))
    backbone = dict(type="SAM2Backbone", size="mini", random_weights=True)
    changes = {"model.backbone": backbone, "data.root": "gone", "data.image_size": 64}
    config.load("methods/prompted_mini_v1m", changes).dump(folder / "config.py")
    write_scored(folder, {})
    return folder


def test_box_prompts_have_gains_and_an_effect(boxes: Path) -> None:
    moved = {"data.root": str(boxes / "data")}

    rows = DilutionReadings(max_clips=2).of(boxes, overrides=moved)

    assert set(rows["condition"]) == {TRUE, NO_PROMPTS}, "no sound changes anything"
    assert rows["clip"].nunique() <= 2 and not rows.duplicated(list(COLUMNS[:-1])).any()
    gains = rows[rows["quantity"] == "gain"]
    assert np.isfinite(gains["value"]).all() and set(gains["tokens"]) == {"mask", "prompt"}
    effects = rows[(rows["quantity"] == "js") & (rows["head"] == -1)]
    assert (effects["value"] > 0).all() and set(effects["site"]) == {1, 2, 3}


def test_what_was_read_is_kept_wherever_the_data_are(boxes: Path) -> None:
    moved: dict[str, Any] = {"data.root": str(boxes / "data")}
    first = DilutionReadings(max_clips=1).of(boxes, overrides=moved)

    again = DilutionReadings(max_clips=1).of(boxes, overrides={"data.root": "/elsewhere"})

    pd.testing.assert_frame_equal(first, again, rtol=1e-12)
    assert set(again["condition"]) == {"true", "no prompts"}, "no text became a boolean"
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        DilutionReadings(max_clips=1).of(boxes, overrides={"data.root": "/elsewhere"}, again=True)
    stated = json.loads((boxes / "dilution.json").read_text())
    assert stated["settings"]["max_clips"] == 1


@pytest.mark.parametrize("changed", ["code_version", "measures"])
def test_what_other_code_has_read_is_read_again(boxes: Path, tmp_path: Path, changed: str) -> None:
    run_dir = shutil.copytree(boxes, tmp_path / "run")
    moved: dict[str, Any] = {"data.root": str(boxes / "data")}
    rows = DilutionReadings(max_clips=1).of(run_dir, overrides=moved)
    settings = run_dir / "dilution.json"
    stated = json.loads(settings.read_text())["settings"]
    settings.write_text(json.dumps(stated))
    (run_dir / "dilution.csv").write_text(",".join(COLUMNS) + "\n")
    assert DilutionReadings(max_clips=1).of(run_dir).empty, "what is kept is read"

    settings.write_text(json.dumps({**stated, changed: "0"}))
    with pytest.raises(FileNotFoundError, match="gone"):
        DilutionReadings(max_clips=1).of(run_dir)
    assert len(DilutionReadings(max_clips=1).of(run_dir, overrides=moved)) == len(rows)

    lost = {**stated, changed: "0", "weights": "of a file that is gone"}
    settings.write_text(json.dumps(lost))
    assert len(DilutionReadings(max_clips=1).of(run_dir)) == len(rows), "it is all that is left"


def test_data_of_other_clips_are_refused(
    boxes: Path, write_scored: Callable[..., object], tmp_path: Path
) -> None:
    moved: dict[str, Any] = {"data.root": str(boxes / "data")}
    (tmp_path / "config.py").write_text((boxes / "config.py").read_text())
    write_scored(tmp_path, {"test": {"J": {"dog": 0.5, "bell": 0.5}}})

    with pytest.raises(ValueError, match="other data than the run was tested on.*dog, bell.*new"):
        DilutionReadings().of(tmp_path, overrides=moved)


def test_an_unknown_split_lists_the_known_ones(boxes: Path) -> None:
    moved = {"data.root": str(boxes / "data")}
    with pytest.raises(ValueError, match="unknown test split 'tset'.*known: test"):
        DilutionReadings(split="tset", sounds=()).of(boxes, overrides=moved)
