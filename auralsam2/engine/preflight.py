"""What must be there before a run is worth starting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from auralsam2.engine.selection import better
from auralsam2.engine.start import check_start
from auralsam2.models.decode import decode_mode
from auralsam2.registry import BACKBONES, HOOKS, METRICS, MODELS, REGISTRIES, Registry


def check(cfg: Config, run_dir: Path | None = None) -> None:
    """Say everything that is wrong with a config before anything is built.

    Args:
        cfg: a loaded config.
        run_dir: folder of the run, which may have begun there.

    Raises:
        ValueError: naming every setting that does not go with the others, or see `check_start`.
        FileNotFoundError: see `check_weights` and `check_start`.
    """
    if problems := setting_problems(cfg):
        raise ValueError("\n".join(problems))
    check_weights(cfg)
    check_start(cfg, run_dir)


def setting_problems(cfg: Config) -> list[str]:
    """What is wrong with the settings of a valid config, once the classes that it names are known.

    The machine, the weights and the data are not looked at.

    Returns:
        All problems, each with the dotted path it is at.
    """
    problems = []
    try:
        decode_mode(cfg.evaluation.decode)
    except ValueError as error:
        problems.append(str(error))
    metrics = _built("evaluation.metrics", METRICS, cfg.evaluation.metrics, problems)
    hooks = _built("runtime.hooks", HOOKS, cfg.runtime.get("hooks", ()), problems)
    if len(metrics) == len(cfg.evaluation.metrics):
        problems += _metric_problems(metrics, cfg.evaluation.select_by, hooks)
    return problems + _size_problems(cfg)


def _built(key: str, registry: Registry, nodes: Sequence[Any], problems: list[str]) -> list[Any]:
    """Build the nodes of a list, which takes no time; what keeps one from it joins the problems."""
    built = []
    for index, node in enumerate(nodes):
        try:
            built.append(registry.build(dict(node)))
        except (ValueError, TypeError, AssertionError) as error:  # hooks of mmengine assert
            problems.append(f"{key}.{index}: {error}")
    return built


def _metric_problems(metrics: Sequence[Any], select_by: str, hooks: Sequence[Any]) -> list[str]:
    """Metrics that are asked for and not there; hooks that ask for one offer ``watch(metrics)``."""
    problems = []
    try:
        better(metrics, select_by)
    except ValueError as error:
        problems.append(str(error))
    for hook in hooks:
        try:
            getattr(hook, "watch", lambda _: None)(metrics)
        except ValueError as error:
            problems.append(f"runtime.hooks, {type(hook).__name__}: {error}")
    return problems


def _size_problems(cfg: Config) -> list[str]:
    """What a backbone says about the size of the pictures, by its ``size_multiple``."""
    node, side = cfg.model.get("backbone"), cfg.data.image_size
    if not isinstance(node, Mapping):
        return []
    multiple = getattr(BACKBONES.lookup(node["type"]), "size_multiple", 1)
    if side % multiple == 0:
        return []
    near = max(multiple, round(side / multiple) * multiple)
    return [
        f"data.image_size must be a multiple of {multiple} for {node['type']}, such as {near}, "
        f"got {side}"
    ]


def check_weights(cfg: Config) -> None:
    """Look for every weight file that the model's parts will want.

    A component class may offer ``problems(**node) -> list[str]``; all answers are collected, so
    that a user learns of every missing file at once and within a second.

    Raises:
        FileNotFoundError: naming path, published file and key of everything that is missing.
    """
    model = cfg.model.to_dict()
    problems = _problems_of(MODELS.lookup(model["type"]), model)
    for key, node in model.items():
        if key in REGISTRIES and isinstance(node, Mapping) and "type" in node:
            problems += _problems_of(REGISTRIES[key].lookup(node["type"]), node)
    if problems:
        raise FileNotFoundError("\n".join(problems))


def _problems_of(component: Any, node: Mapping[str, Any]) -> list[str]:
    check = getattr(component, "problems", None)
    if check is None:
        return []
    return list(check(**{key: value for key, value in node.items() if key != "type"}))
