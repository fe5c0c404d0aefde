"""From cells to configs: read, overridden and checked, every file only once."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ablations.grids.cells import Cell
from ablations.grids.file import Grid
from auralsam2 import config
from auralsam2.config import ConfigError
from auralsam2.custom_imports import import_custom

Problem = tuple[str, str]
"""Name of the cell that has it, empty where all have, and the problem in words."""


def resolve(
    grid: Grid, cells: Sequence[Cell], overrides: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the config of every cell, of any seed, with ``overrides`` applied last.

    Returns:
        Cell name -> ``mmengine.Config``, None where it has problems; and the problems.
    """
    # A grid's own components must be known before any config that names them is checked.
    custom = copy.deepcopy({"custom_imports": grid.custom_imports})
    problems = [("", problem) for problem in import_custom(custom, grid.folder)]
    configs: dict[str, Any] = {}
    parse = cache(_parse)  # takes longer than all that follows
    for cell in cells if not problems else ():
        if cell.name in configs:
            continue
        cfg, found = copy.deepcopy(parse(cell.config or grid.base))
        if cfg is not None:
            found += config.override(cfg, _merged(grid.overrides, cell.overrides, overrides))
            _add_imports(cfg, custom["custom_imports"])
            found += config.validate(cfg)
        configs[cell.name] = None if found else cfg
        problems += [(cell.name, problem) for problem in found]
    return configs, problems


def _parse(name: str) -> tuple[Any, list[str]]:
    """Return the config as written, and its problems; None where it is unreadable."""
    try:
        cfg = config.peek(name)
        return cfg, import_custom(cfg, config.find(name).parent)
    except ConfigError as error:
        return None, [f"config {name!r}: {problem}" for problem in error.problems]
    except FileNotFoundError as error:
        return None, [str(error)]


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings; one that stands again moves to its new place, so that later wins."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for path, node in layer.items():
            merged.pop(path, None)
            merged[path] = copy.deepcopy(node)
    return merged


def _add_imports(cfg: Any, custom: Mapping[str, Any] | None) -> None:
    if custom is not None:
        earlier = cfg.get("custom_imports") or {}
        merged = {**earlier, **custom}
        if isinstance(custom.get("imports"), (list, tuple)):
            imports = dict.fromkeys([*earlier.get("imports", []), *custom["imports"]])
            merged["imports"] = list(imports)
        cfg.custom_imports = merged
