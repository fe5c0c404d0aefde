"""Points of the audio-visual space of trained runs, kept in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.kept import KeptMeasurement, OpenRun
from analysis.runs.controls import base_split, is_control
from auralsam2.kept_files import archive_arrays, archive_bytes

COLUMNS = ("clip", "frame", "level", "space", "kind", "sounding", "category")
SEVERAL, UNKNOWN = "several", "unknown"
PROJECTED = "projected"
SPACES = (PROJECTED, "fused")
"""Those of `auralsam2.engine.embedding_points`, which needs torch."""
_VECTORS = "vectors/"

Vectors = NDArray[np.float32]


class Points(NamedTuple):
    """Points of one run."""

    # One row a point, columns `COLUMNS`; category is the class that sounds in the frame, or in the
    # clip where the data say no more; "several" where more than one does, "unknown" where none does
    # or nothing is known
    table: pd.DataFrame
    # (P, D) for every space, rows as in the part of table of that space
    vectors: dict[str, Vectors]

    @property
    def num_levels(self) -> int:
        """Levels of the pyramid."""
        return int(self.table["level"].max()) + 1

    def select(self, space: str, level: int) -> tuple[pd.DataFrame, Vectors]:
        """Return the rows and vectors of one space and level."""
        rows = self.table[self.table["space"] == space].reset_index(drop=True)
        chosen = (rows["level"] == level).to_numpy()
        return rows[chosen].reset_index(drop=True), self.vectors[space][chosen]


@dataclass(frozen=True, kw_only=True)
class RunPoints(KeptMeasurement[Points]):
    """Points drawn from a run's test split."""

    schema: ClassVar[int] = 2
    file_name: ClassVar[str] = "embeddings.npz"
    per_kind: int = 16  # most visual points a frame, inside and outside the mask each
    seed: int = 0  # of the drawing

    def problems(self) -> list[str]:
        """Return settings below 1, and a split that has other sounds."""
        problems = super().problems()
        if self.per_kind < 1:
            problems.append(f"per_kind must be at least 1, got {self.per_kind}")
        if is_control(self.split):
            problems.append(
                f"split '{self.split}' has counterfactual audio, whose classes are not those of "
                f"its clips; take '{base_split(self.split)}'"
            )
        return problems

    def check(self, numbers: Points) -> None:
        """Refuse vectors that are not finite."""
        if not all(np.isfinite(vectors).all() for vectors in numbers.vectors.values()):
            raise ValueError("its vectors are not finite")

    def measure(self, run_dir: Path, overrides: Mapping[str, Any]) -> Points:
        """Draw the points of every frame."""
        run = OpenRun(run_dir, overrides)
        from auralsam2.data.clip_contents import heard_classes
        from auralsam2.engine.embedding_points import draw_points

        dataset = run.dataset(self.split, tested=True)
        heard = heard_classes(dataset)
        settings: dict[str, Any] = {"per_kind": self.per_kind, "max_clips": self.max_clips}
        rows: list[tuple[Any, ...]] = []
        vectors: dict[str, list[Vectors]] = {}
        for frame in draw_points(run.model(), run.cfg, dataset, seed=self.seed, **settings):
            category = _category(heard.get(frame.clip, frozenset()), frame.frame)
            for kind, own in frame.vectors.items():
                key = (frame.clip, frame.frame, frame.level, frame.space, kind)
                rows += [(*key, frame.sounding, category)] * len(own)
                vectors.setdefault(frame.space, []).append(own)
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        return Points(table, {space: np.concatenate(parts) for space, parts in vectors.items()})

    def encode(self, numbers: Points) -> tuple[bytes, dict[str, Any]]:
        """Return an archive; texts as fixed-width arrays, since others would be pickles."""
        columns = {c: numbers.table[c] for c in COLUMNS}
        arrays = {f"table/{c}": held.to_numpy(dtype=_dtype(held)) for c, held in columns.items()}
        arrays |= {f"{_VECTORS}{space}": held for space, held in numbers.vectors.items()}
        return archive_bytes(arrays), {}

    def decode(self, content: bytes, facts: Mapping[str, Any]) -> Points:
        """Read an archive."""
        arrays = archive_arrays(content)
        table = pd.DataFrame({c: arrays[f"table/{c}"] for c in COLUMNS})
        spaces = [key.removeprefix(_VECTORS) for key in arrays if key.startswith(_VECTORS)]
        return Points(table, {space: arrays[f"{_VECTORS}{space}"] for space in spaces})


def _category(heard: Any, frame: int) -> str:
    """The class that sounds, where it is one and the data say so."""
    classes = heard[frame] if isinstance(heard, list) else heard
    if not classes:
        return UNKNOWN
    return str(next(iter(classes))) if len(classes) == 1 else SEVERAL


def _dtype(column: Any) -> Any:
    return str if column.dtype == object or str(column.dtype).startswith("str") else column.dtype
