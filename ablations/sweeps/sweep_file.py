"""Sweeps on disk: one Python file that only states data, checked whole before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.grids.cells import Cell, seed_problems
from ablations.grids.file import Grid, beside, key_problems, mistyped, read_statements
from ablations.grids.resolve import resolve
from ablations.sweeps.objectives import Objective, parse_objectives
from ablations.sweeps.samplers import (
    PRUNERS,
    SAMPLERS,
    choosy,
    parse_node,
    pruner_problems,
)
from ablations.sweeps.search_space import SearchSpace, SweepError, Values, parse_space
from auralsam2 import config

FOLDER = "sweeps"
_KNOWN: dict[str, tuple[type, ...]] = {
    "base": (str,),
    "space": (dict,),
    "objectives": (list, tuple),
    "overrides": (dict,),
    "seeds": (list, tuple, range),
    "sampler": (dict, str),
    "pruner": (dict, str),
    "sampler_seed": (int,),
    "enqueue_base": (bool,),
    "out": (str,),
    "title": (str,),
    "custom_imports": (dict,),
}
_REQUIRED = ("base", "space", "objectives")


@dataclass(frozen=True)
class Sweep:
    """What a sweep file states, with the config that its trials start from."""

    name: str  # the file's name without ``.py``; also the name of the study
    title: str  # for figures
    base: str  # name or path of the config
    cfg: Any  # the base config with the overrides, checked
    space: SearchSpace  # what varies
    objectives: tuple[Objective, ...]  # what is looked for
    seeds: tuple[int, ...]  # of the runs of every trial, whose mean is its value
    sampler: Mapping[str, Any]  # node of how trials are chosen
    pruner: Mapping[str, Any]  # node of how trials are stopped early
    sampler_seed: int  # makes the choice of trials repeatable
    # What the base stands for in the space; None where it is not to be tried.
    base_values: Values | None
    out: Path  # folder of the sweep


def load_sweep(
    name_or_path: str,
    *,
    overrides: Mapping[str, Any] | None = None,
    sampler: str | None = None,
    pruner: str | None = None,
    out: Path | None = None,
) -> Sweep:
    """Read a sweep and check everything that can be checked without data.

    Args:
        name_or_path: a shipped sweep, e.g. ``fuser_mini``, or the path of a ``.py`` file.
        overrides: dotted path -> value, set in the base after the file's own.
        sampler: in place of the file's own.
        pruner: in place of the file's own.
        out: in place of the file's own.

    Raises:
        FileNotFoundError: if there is no such sweep; the message lists the known ones.
        SweepError: with all problems at once.
    """
    path = config.find(name_or_path, folder=FOLDER)
    stated = read_statements(path, SweepError)
    if problems := _key_problems(stated):
        raise SweepError(problems, source=str(path))
    cfg, problems = _base(path, stated, overrides or {})
    parts = _parts(stated, cfg, sampler, pruner, problems)
    if problems:
        raise SweepError(dict.fromkeys(problems), source=str(path))
    return Sweep(
        name=path.stem,
        title=stated.get("title", path.stem),
        base=stated["base"],
        cfg=cfg,
        seeds=tuple(stated.get("seeds", (0,))),
        sampler_seed=stated.get("sampler_seed", 0),
        out=Path(out if out is not None else stated.get("out", f"work_dirs/{path.stem}")),
        **parts,
    )


def _key_problems(stated: Mapping[str, Any]) -> list[str]:
    wrong = mistyped(stated, _KNOWN)
    seeds = () if "seeds" in wrong else seed_problems(tuple(stated.get("seeds", (0,))))
    return [*key_problems(stated, _KNOWN, _REQUIRED), *wrong.values(), *seeds]


def summary_lines(sweep: Sweep, storage: str) -> Iterator[str]:
    """Yield a line a parameter, then what is sought, how, and where; ``storage`` as it is shown."""
    for name, stated in sweep.space.describe().items():
        if "choices" in stated:
            values = " | ".join(map(str, stated["choices"]))
        else:
            steps = f", step {stated['step']}" if stated["step"] else ""
            values = f"{stated['low']} to {stated['high']}{', log' * stated['log']}{steps}"
        where = "; ".join(
            f"{key} is {' or '.join(map(str, v))}" for key, v in stated["when"].items()
        )
        base = (sweep.base_values or {}).get(name)
        yield f"{name}: {values}" + f"; where {where}" * bool(where) + f"; base {base}"
    wanted = ", ".join(f"{o.direction} {o.metric}" for o in sweep.objectives)
    yield f"{wanted}; sampler {sweep.sampler['type']}, pruner {sweep.pruner['type']}"
    yield f"study {sweep.name!r} in {storage}; runs in {sweep.out}"


def _parts(
    stated: Mapping[str, Any],
    cfg: Any,
    sampler: str | None,
    pruner: str | None,
    problems: list[str],
) -> dict[str, Any]:
    """Read what a file states, as far as it can be read; problems are added to ``problems``."""
    parts: dict[str, Any] = {}

    def read(key: str, reader: Callable[[], Any]) -> None:
        try:
            parts[key] = reader()
        except SweepError as error:
            problems.extend(error.problems)

    read("space", lambda: parse_space(stated["space"]))
    read("sampler", lambda: parse_node(SAMPLERS, stated.get("sampler", "tpe"), sampler))
    if cfg is None:
        return parts
    read("objectives", lambda: parse_objectives(stated["objectives"], cfg))
    # Several objectives cannot be pruned: that is an error only where it is asked for.
    default = "hyperband" if len(stated["objectives"]) == 1 else "none"
    read("pruner", lambda: parse_node(PRUNERS, stated.get("pruner", default), pruner))
    if "space" in parts:
        space: SearchSpace = parts["space"]
        problems += space.check(cfg)
        enqueued = stated.get("enqueue_base", True)
        read("base_values", lambda: space.base_values(cfg) if enqueued else None)
    if not problems:
        objectives = parts["objectives"]
        refused = choosy(parts["sampler"]).problems(parts["space"], objectives)
        problems += [f"sampler: {problem}" for problem in refused]
        problems += pruner_problems(parts["pruner"], objectives)
    return parts


def _base(
    path: Path, stated: Mapping[str, Any], overrides: Mapping[str, Any]
) -> tuple[Any, list[str]]:
    """Return the config of all trials before their values, None where it has problems."""
    grid = Grid(
        name=path.stem,
        base=beside(path, stated["base"]),
        axes=(),
        overrides=stated.get("overrides", {}),
        custom_imports=stated.get("custom_imports"),
        folder=path.parent,
    )
    cell = Cell("base", {}, {}, 0)
    configs, problems = resolve(grid, [cell], overrides)
    return configs.get(cell.name), [f"base: {problem}" for _, problem in problems]
