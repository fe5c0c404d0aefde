"""What the labels of a split's clips say, kept in a run's folder: size, silence, classes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from analysis.kept import KeptMeasurement, OpenRun
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results
from analysis.runs.saved_clips import first_runs

COLUMNS = ("clip", "size", "empty", "classes", "seen")
_READ: dict[str, Callable[[str], Any]] = {
    "classes": json.loads,
    "seen": lambda text: {"True": True, "False": False}.get(text),
}


@dataclass(frozen=True, kw_only=True)
class ClipLabels(KeptMeasurement[pd.DataFrame]):
    """A row a clip of a split; columns `COLUMNS`.

    ``size``: share of the frame that is object, mean over the labelled frames that show one, NaN
    where none does. ``empty``: share of the labelled frames that show none. ``classes``: names of
    what sounds, sorted, or None where the data do not tell. ``seen``: whether all of them sound in
    training clips, or None.
    """

    schema: ClassVar[int] = 1
    by_weights: ClassVar[bool] = False

    def path(self, run_dir: Path) -> Path:
        """Return the file of the split."""
        return run_dir / f"clip_labels_{self.split}.csv"

    def code(self) -> dict[str, str]:
        """Return nothing: they are the data's."""
        return {}

    def encode(self, numbers: pd.DataFrame) -> tuple[bytes, dict[str, Any]]:
        """Return a table."""
        written = numbers.assign(classes=numbers["classes"].map(json.dumps))
        return written.to_csv(index=False).encode(), {}

    def decode(self, content: bytes, facts: Mapping[str, Any]) -> pd.DataFrame:
        """Read it."""
        # Clips may be called "null"; only numbers may be missing.
        frame = pd.read_csv(
            io.BytesIO(content),
            dtype={"clip": str},
            converters=_READ,
            keep_default_na=False,
            na_values={"size": [""], "empty": [""]},
        )
        if tuple(frame) != COLUMNS:
            raise ValueError(f"wanted columns {COLUMNS}, got {tuple(frame)}")
        return frame.astype({"classes": object, "seen": object})

    def measure(self, run_dir: Path, overrides: Mapping[str, Any]) -> pd.DataFrame:
        """Read the labels of a run's test clips."""
        run = OpenRun(run_dir, {**overrides, "data.num_workers": 0})
        dataset = run.dataset(self.split, tested=True)
        sounding = _classes(dataset)
        trained = _trained(run) if any(own is not None for own in sounding) else None
        rows = []
        for index, (clip, classes) in enumerate(zip(dataset.clips, sounding, strict=True)):
            areas = _areas(dataset, index)
            shown = [area for area in areas if area > 0]
            size = sum(shown) / len(shown) if shown else float("nan")
            empty = 1 - len(shown) / len(areas) if areas else float("nan")
            seen = None if classes is None or trained is None else trained >= set(classes)
            rows.append((clip, size, empty, classes, seen))
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return (
            frame.astype({"classes": object, "seen": object})
            .where(frame.notna(), None)
            .assign(size=frame["size"])
        )


def clip_labels(
    results: Results,
    cells: Sequence[str],
    splits: Sequence[str],
    overrides: Mapping[str, Any] | None = None,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return split -> what its labels say, from the first of the cells' runs that has data.

    Returns:
        Without splits whose data are gone; and why they are.
    """
    runs = first_runs(results)
    found: dict[str, pd.DataFrame] = {}
    lost: list[str] = []
    for split in splits:
        why = ""
        for cell in cells:
            try:
                found[split] = ClipLabels(split=split).of(runs[cell].folder, overrides=overrides)
                break
            except Exception as error:
                why = why or why_lost(error)
        else:
            lost.append(f"nothing is known of the clips of {split}: {why}")
    return found, lost


def _areas(dataset: Any, index: int) -> list[float]:
    """Return the shares of the frame that are object, frame by frame."""
    from auralsam2.data.clip_contents import object_areas

    if hasattr(dataset, "files"):
        return object_areas(dataset, index)
    item = dataset[index]  # of a data set of the user's own
    masks = item["native_masks"][item["supervised"]] == 1
    return [float(area) for area in masks.float().mean((1, 2))]


def _classes(dataset: Any) -> list[list[str] | None]:
    """Return what sounds in each clip; None where the data do not tell."""
    from auralsam2.data.clip_contents import read_contents

    try:
        return [sorted(contents.heard) for contents in read_contents(dataset)]
    except (ValueError, AttributeError):  # no classes, or a data set of the user's own
        return [None] * len(dataset)


def _trained(run: OpenRun) -> set[str] | None:
    """Return what sounds in training clips; None where they are gone, or do not tell."""
    from auralsam2.engine.splits import split_dataset

    try:
        every = _classes(split_dataset(run.cfg, "train", labelled=False))
    except Exception as error:
        why_lost(error)
        return None
    return {name for own in every for name in own or ()} or None
