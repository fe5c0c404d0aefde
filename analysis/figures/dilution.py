"""All figures of dilution in a grid's runs, and the table of D1 and D2."""

from __future__ import annotations

from pathlib import Path

from analysis.dilution import table
from analysis.dilution.measure import MeasuredDilution
from analysis.figures import dilution_curves, dilution_matrices


def make(measured: MeasuredDilution, folder: Path, *, heads: bool = False) -> list[Path]:
    """Write ``dilution_*.*`` and ``site_matrix.*``; nothing where no run could be probed."""
    if not measured.runs.found:
        return []
    clips, sound = measured.clips, measured.sound
    paths = dilution_curves.make(clips, folder, condition=sound)
    paths += dilution_matrices.make(clips, folder, condition=sound, heads=heads)
    return paths + table.write(measured.indices, folder, measured.runs.title)
