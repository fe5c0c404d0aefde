"""Texts of the tables of prompting."""

from __future__ import annotations

from auralsam2.engine.benchmark.prompting import CLICK, CLIP, FIRST, REST, SOUND
from auralsam2.engine.benchmark.report import Answered, Prompting, Spread
from auralsam2.engine.benchmark.table import prompting_conditions, prompting_tables


def answered(clip: float, lost: float, **more: float) -> Answered:
    seconds = {FIRST: 0.25, CLIP: clip, CLICK: 0.05, REST: 0.5, **more}
    spreads = {event: Spread(value, 0.5 * value, 2 * value) for event, value in seconds.items()}
    losses = {event: Spread(lost, lost - 0.1, lost + 0.1) for event in (FIRST, CLIP, CLICK, REST)}
    parts = {"encode": Spread(1.0, 1.0, 1.0), "other": Spread(3.0, 3.0, 3.0)}
    passes = {FIRST: 1, CLIP: 10, CLICK: 0, REST: 4, SOUND: 0}
    return Answered(spreads, spreads, passes, losses, losses, parts)


def test_texts() -> None:
    ways = {"SAM2": answered(2.0, 0.0), "ours": answered(4.0, 0.5, **{SOUND: 1.0})}
    found = Prompting(
        ways, "SAM2", 10, 4, 3,
        {"image_size": 64, "device": "cpu", "num_threads": 1, "torch": "2", "window": 5},
    )  # fmt: skip
    assert (
        prompting_conditions(found) == "cpu, 1 thread(s), torch 2; the fuser sees 5 frames together"
    )
    (title, clip, notes), (_, then, _), (_, parts, _) = prompting_tables(found)
    assert title.startswith("a clip of 10 frames at 64 px")
    assert "medians of 3 rounds" in notes[0] and "of SAM2," in notes[1]
    assert clip["ours", "frames/s"] == "2.5" and clip["ours", "quartiles"] == "1.25 to 5"
    assert clip["ours", "lost, CPU (quartiles)"] == "50.0% (40.0% to 60.0%)"
    assert clip["ours", "lost"] == "50.0%" and clip["SAM2", "passes a frame"] == "1.00"
    assert clip["ours", "first mask, ms"] == "250.0" and clip["ours", "CPU ms a frame"] == "400.0"
    assert then["ours", "click, ms"] == "50.0 (25.0 to 100.0)"
    assert then["ours", "frames/s behind it"] == "8" and then["ours", "passes a frame"] == "1.00"
    assert then["ours", "frames/s, sound"] == "10"
    assert ("SAM2", "frames/s, sound") not in then
    assert parts["encode", "ours"] == "100.0 (25.0%)"
