"""Frames a second of ways of prompting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.figures import prompting, step_parts


def way(clip: float, **more: float) -> dict[str, Any]:
    def spread(value: float) -> dict[str, float]:
        return {"median": value, "low": value / 2, "high": 2 * value}

    seconds = {event: spread(value) for event, value in {"clip": clip, "rest": 1.0, **more}.items()}
    return {
        "seconds": seconds,
        "cpu": {event: spread(4 * own["median"]) for event, own in seconds.items()},
        "lost": {"clip": spread(0.5), "rest": spread(0.25)},
        "lost_cpu": {"clip": spread(0.4), "rest": spread(0.2)},
        "passes": {"clip": 10, "rest": 0, "sound": 10},
        "parts": {"encode": spread(1.0), "other": spread(3.0)},
    }


def found(threads: int = 2) -> dict[str, Any]:
    return {
        "ways": {"SAM2": way(2.0), "ours": way(4.0, sound=5.0)},
        "num_frames": 10,
        "again": 5,
        "conditions": {"device": "cpu", "num_threads": threads},
    }


def test_numbers() -> None:
    numbers = prompting.collect(found())
    assert list(numbers.columns) == list(prompting.COLUMNS)
    ours = numbers[numbers["way"] == "ours"].set_index("event")
    assert ours["frames_per_second"].to_dict() == {"clip": 2.5, "rest": 5.0, "sound": 2.0}
    assert (ours.loc["clip", "low"], ours.loc["clip", "high"]) == (1.25, 5.0)
    assert ours["lost"].tolist()[:2] == [0.5, 0.25] and np.isnan(ours.loc["sound", "lost"])
    assert ours["passes"].tolist() == [1.0, 0.0, 1.0]
    assert "sound" not in set(numbers[numbers["way"] == "SAM2"]["event"])


def test_one_thread_is_timed_by_its_own_clock() -> None:
    numbers = prompting.collect(found(threads=1))
    assert numbers["frames_per_second"].tolist()[:2] == [10 / 8, 5 / 4]


def test_parts_are_a_frames() -> None:
    rows = prompting.parts(found())
    ours = rows[rows["value"] == "ours"].set_index("part")
    assert ours.loc["encode", "seconds"] == 0.1 and ours.loc["encode", "share"] == 0.25
    assert ours.loc[step_parts.REST, "share"] == pytest.approx(0.75)


def test_files(tmp_path: Path) -> None:
    paths = prompting.make(found(), tmp_path, "speed")
    assert [path.name for path in paths] == ["speed.pdf", "speed.png", "speed.csv"]
    assert len(pd.read_csv(paths[2])) == 5
