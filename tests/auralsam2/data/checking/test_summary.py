from __future__ import annotations

from auralsam2.data.checking.clips import ClipFacts
from auralsam2.data.checking.summary import summarise, summary_to_text


def facts(areas: list[float], num_frames: int = 5, seconds: float | None = 5.0) -> ClipFacts:
    rate = 16_000 if seconds else None
    return ClipFacts([], {}, num_frames, (24, 32), seconds, rate, areas)


def test_totals_and_histogram() -> None:
    summary = summarise([facts([0.0, 0.01, 0.02]), facts([0.3, 1.0], 10, None)])
    assert (summary["clips"], summary["frames"], summary["seconds"]) == (2, 15, 5.0)
    assert (summary["labels"], summary["silent_labels"], summary["silent_share"]) == (5, 1, 0.2)
    assert summary["areas"] == {
        "0-1 %": 1,
        "1-5 %": 1,
        "5-10 %": 0,
        "10-25 %": 0,
        "25-50 %": 1,
        "50-100 %": 1,
    }
    assert summary["frames_per_clip"] == {"10": 1, "5": 1}
    assert summary["sample_rates"] == {"16000": 1}
    text = "\n".join(summary_to_text(summary))
    assert "clips: 2, frames: 15, sound: 5.0 s, labels: 5, of which 20.0 % show nothing" in text


def test_nothing_at_all_can_be_summed_up() -> None:
    summary = summarise([])
    assert summary["silent_share"] is None and summary["clips"] == 0
    assert summary_to_text(summary)[0].endswith("labels: 0")
