"""What a data set holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from auralsam2.data.checking.clips import ClipFacts

AREA_EDGES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Shares of a picture; the first bin holds what is above nothing and up to 1 %."""


def summarise(facts: Sequence[ClipFacts]) -> dict[str, Any]:
    """Totals of all clips that could be opened.

    Returns:
        Counts; ``silent_share``: share of the labels that show nothing, so of the frames in which
        nothing that can be seen sounds (None without labels); ``areas``: labels by the share of
        the picture that is object, empty ones left out.
    """
    areas = np.array([area for clip in facts for area in clip.areas])
    empty = int((areas == 0).sum())
    # Bins are open on the left: an object of exactly 1 % belongs to the first.
    bins = np.searchsorted(AREA_EDGES, areas[areas > 0], side="left") - 1
    counted = np.bincount(bins, minlength=len(AREA_EDGES) - 1)
    return {
        "clips": len(facts),
        "frames": sum(clip.num_frames for clip in facts),
        "seconds": round(sum(clip.seconds or 0.0 for clip in facts), 3),
        "labels": len(areas),
        "silent_labels": empty,
        "silent_share": round(empty / len(areas), 4) if len(areas) else None,
        "areas": {
            f"{100 * low:g}-{100 * high:g} %": int(count)
            for low, high, count in zip(AREA_EDGES, AREA_EDGES[1:], counted, strict=False)
        },
        "frames_per_clip": _counted(clip.num_frames for clip in facts),
        "sizes": _counted(f"{c.size[0]}x{c.size[1]}" for c in facts if c.size),
        "sample_rates": _counted(clip.rate for clip in facts if clip.rate),
    }


def summary_to_text(summary: dict[str, Any]) -> list[str]:
    """Lines for a terminal."""
    share = summary["silent_share"]
    silent = "" if share is None else f", of which {100 * share:.1f} % show nothing"
    lines = [
        f"clips: {summary['clips']}, frames: {summary['frames']}, sound: "
        f"{summary['seconds']:.1f} s, labels: {summary['labels']}{silent}"
    ]
    for title, key in (
        ("frames a clip (clips)", "frames_per_clip"),
        ("height x width (clips)", "sizes"),
        ("sample rate (clips)", "sample_rates"),
    ):
        shown = ", ".join(f"{value} ({n})" for value, n in list(summary[key].items())[:5])
        more = len(summary[key]) - 5
        lines.append(f"{title}: {shown or 'none'}{f' and {more} others' if more > 0 else ''}")
    most = max(summary["areas"].values(), default=0) or 1
    lines.append("area of masks, share of the picture:")
    for name, count in summary["areas"].items():
        bar = "#" * round(30 * count / most)
        lines.append(f"  {name:>9} {count:>7} {bar}".rstrip())
    return lines


def _counted(values: Any) -> dict[str, int]:
    """Value -> how often, the most frequent first."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], str(item[0])))
    return {str(value): count for value, count in ranked}
