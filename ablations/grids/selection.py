"""A part of a grid: ``--only cell=none --only seed=0 --only 'fusion=no fusion'``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ablations.grids.plan import PlannedRun
from auralsam2.messages import ProblemsError, unknown_name

Of = Callable[[PlannedRun], str]
_FIXED: dict[str, Of] = {
    "cell": lambda run: run.cell.name,
    "seed": lambda run: str(run.cell.seed),
}


def select(runs: Sequence[PlannedRun], only: Sequence[str]) -> list[PlannedRun]:
    """Return the runs that a command line asks for.

    Args:
        runs: of a plan.
        only: ``NAME=VALUE``, the name being an axis, ``cell`` or ``seed``. Values of one name are
            alternatives; several names must all fit.

    Raises:
        ValueError: with all problems: names and values that the grid does not have, and a
            selection that leaves nothing.
    """
    axes = dict.fromkeys(axis for run in runs for axis in run.cell.axes)
    names: dict[str, Of] = {axis: _axis(axis) for axis in axes} | _FIXED
    wanted: dict[str, set[str]] = {}
    problems = []
    for condition in only:
        name, equals, value = condition.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name:
            problems.append(f"{condition!r}: write NAME=VALUE, e.g. seed=0")
        elif name not in names:
            problems.append(f"{condition!r}: {unknown_name('axis', name, names)}")
        elif value not in (known := dict.fromkeys(map(names[name], runs))):
            problems.append(f"{condition!r}: {unknown_name('value', value, filter(None, known))}")
        else:
            wanted.setdefault(name, set()).add(value)
    chosen = [run for run in runs if all(names[n](run) in values for n, values in wanted.items())]
    if not problems and not chosen:
        problems.append("no run fits all of them")
    if problems:
        raise ProblemsError(problems, source="--only")
    return chosen


def _axis(axis: str) -> Of:
    return lambda run: run.cell.axes.get(axis, "")
