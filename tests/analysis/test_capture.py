"""Planted readings give known rows."""

import numpy as np
import pandas as pd
import pytest

from analysis.capture import COLUMNS, frame_rows
from auralsam2.engine.probing import TRUE, FrameReadings, Reading

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
