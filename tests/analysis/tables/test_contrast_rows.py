from __future__ import annotations

import pandas as pd
import pytest

from analysis.statistics.crossed_means import CLIPS, CLIPS_AND_SEEDS
from analysis.tables.contrast_rows import entry, mark, marks_note


def row(difference: float, low: float, high: float, significant=False, varies=CLIPS_AND_SEEDS):
    return {
        "difference": difference,
        "low": low,
        "high": high,
        "significant": significant,
        "varies": varies,
    }


@pytest.mark.parametrize(
    ("held", "text"),
    [
        (row(0.0312, 0.01, 0.0524, True), "+0.031 [+0.010, +0.052]*"),
        (row(-0.0312, -0.0524, 0.01), "−0.031 [−0.052, +0.010]"),
        (row(0.0312, 0.01, 0.0524, True, CLIPS), "+0.031 [+0.010, +0.052]†"),
        (row(0.5, float("nan"), float("nan")), "+0.500"),
        (row(-0.0001, -0.1, -0.00001), "+0.000 [−0.100, +0.000]"),
    ],
)
def test_an_entry_has_signs_interval_and_mark(held: dict, text: str) -> None:
    assert entry(held, 3) == text and text.endswith(mark(held))


def test_the_note_says_over_what() -> None:
    frame = pd.DataFrame({"varies": [CLIPS_AND_SEEDS, CLIPS], "num_seeds": [3, 1]})
    assert marks_note(frame, "all") == (
        "In brackets the 95% interval over clips and 1 to 3 seeds or clips alone, not corrected. "
        "* and † (clips alone vary): p < 0.05 after Holm's correction over all."
    )
