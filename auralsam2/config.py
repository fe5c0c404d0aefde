"""Configs: find, load, override, validate, dump.

A config is a plain mmengine ``Config``. `auralsam2.config_files` finds and reads them,
`auralsam2.config_schema` says what they may hold, `auralsam2.config_identity` what of it counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from auralsam2.config_files import ConfigError as ConfigError
from auralsam2.config_files import find as find
from auralsam2.config_files import names as names
from auralsam2.config_files import read_file
from auralsam2.config_identity import config_hash as config_hash
from auralsam2.config_identity import plain
from auralsam2.config_schema import (
    SCHEMA,
    Factors,
    Node,
    Section,
    Spec,
    child_spec,
    known_keys,
    same_kind,
    wanted_kinds,
)
from auralsam2.config_validation import validate as validate
from auralsam2.custom_imports import CUSTOM_KEY, import_custom, locate_files
from auralsam2.messages import unknown_name
from auralsam2.moved_arguments import follow_move, follow_moves
from auralsam2.override_values import Written
from auralsam2.text_files import write_text


def load(
    name_or_path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    base: str | os.PathLike[str] | None = None,
) -> Any:
    """Load a config, apply overrides and check the result.

    Args:
        name_or_path: as in `find`.
        overrides: dotted path to new value, applied in order by `set_node`. Those of
            ``custom_imports`` come first; files that they name are relative to the working folder.
        base: the config to inherit from in place of the one that the file names, as in `find`.

    Returns:
        The ``mmengine.Config``.

    Raises:
        FileNotFoundError: if there is no such config.
        ConfigError: with all problems at once: overrides of unknown keys, unknown or missing
            keys, wrong types, unknown components, arguments that no class takes.
    """
    cfg = _read(name_or_path, base)
    overrides = dict(overrides or {})
    locate_files(cfg, find(name_or_path).parent)
    imports = {key: value for key, value in overrides.items() if key.split(".")[0] == CUSTOM_KEY}
    if imports and CUSTOM_KEY not in cfg:
        cfg[CUSTOM_KEY] = dict(imports=[])
    problems = _override(cfg, imports)
    problems += import_custom(cfg, Path.cwd())
    problems += _override(cfg, {k: v for k, v in overrides.items() if k not in imports})
    problems += validate(cfg)
    if problems:
        raise ConfigError(problems, source=f"config {os.fspath(name_or_path)!r}")
    return cfg


def peek(
    name_or_path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    base: str | os.PathLike[str] | None = None,
) -> Any:
    """Read a config as it is written, unchecked and without importing any component.

    Overrides of keys that are not there, or that cannot be read, are left out; `load` is the one
    that complains.
    """
    cfg = _read(name_or_path, base)
    for dotted, value in (overrides or {}).items():
        *parents, last = dotted.split(".")
        node: Any = cfg
        spec: Spec | None = SCHEMA
        for key in parents:
            node = node.get(key) if hasattr(node, "get") else None
            spec = child_spec(spec, key)
        if hasattr(node, "get"):
            # The signature of a component is known only once it is imported.
            with suppress(ValueError):
                node[last] = _value(value, spec if isinstance(spec, Section) else None, node, last)
    return cfg


def _override(cfg: Any, overrides: Mapping[str, Any]) -> list[str]:
    problems = []
    for dotted, value in overrides.items():
        try:
            set_node(cfg, dotted, value)
        except ConfigError as error:
            problems += error.problems
    return problems


def set_node(cfg: Any, dotted: str, value: Any) -> None:
    """Replace what stands at a dotted path, in place.

    A dict replaces its node whole, so no argument of the old class survives; None switches a
    part off; a bare name where a component belongs means ``dict(type=name)``.

    Args:
        cfg: a ``Config``.
        dotted: e.g. ``"model.fusion"``, ``"evaluation.metrics.0.beta2"``.
        value: the new value; a `Written` is read as the schema or the component wants it.

    Raises:
        ConfigError: if the path leads nowhere, or what is written cannot be read; the message says
            which key and what is known.
    """
    *parents, last = dotted.split(".")
    node: Any = cfg
    spec: Spec | None = SCHEMA
    owner: Spec | None = None
    walked: list[str] = []
    for key in parents:
        if isinstance(child_spec(spec, key), (Factors, Section)) and key in getattr(
            spec, "may_miss", ()
        ):
            node.setdefault(key, ConfigDict())  # what may be missing comes with its first key
        _check_key(node, spec, key, walked, dotted, must_exist=True)
        node = node[_index(node, key)]
        below = child_spec(spec, key)  # perhaps an empty tuple
        spec = same_kind(owner, node) if below is None else below
        owner = spec if isinstance(spec, Node) else owner
        walked.append(key)
    follow_move(node, last)
    _check_key(node, spec, last, walked, dotted, must_exist=False)
    try:
        value = _value(value, spec, node, last)
    except ValueError as error:
        raise ConfigError([f"{dotted}={value}: {error}"]) from error
    if isinstance(value, str) and isinstance(child_spec(spec, last), Node):
        value = {"type": value}
    # ConfigDict turns nested dicts into its own kind only when they are set through it.
    node[_index(node, last)] = ConfigDict(value=value)["value"]
    follow_moves(node[_index(node, last)])


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """Take ``key=value`` arguments of a command line apart.

    The values stay as they are written until `set_node` knows what is wanted there: where that is
    text, every character counts; elsewhere they are Python literals (``{"type": "X"}``,
    ``(3, 6, 12)``, ``None``), numbers, true or false, lists without quotes; else text. Of a
    key that stands again the last value counts, in its last place.

    Raises:
        ConfigError: naming every argument without ``=``.
    """
    overrides: dict[str, Any] = {}
    problems = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            problems.append(f"{pair!r}: write KEY=VALUE, e.g. optim.epochs=2")
            continue
        overrides.pop(key.strip(), None)
        overrides[key.strip()] = Written(text)
    if problems:
        raise ConfigError(problems, source="overrides")
    return overrides


def dump(cfg: Mapping[str, Any], path: str | os.PathLike[str], comment: str = "") -> None:
    """Write a config as one self-contained Python file that `load` reads back.

    Args:
        cfg: the config.
        path: of the file.
        comment: stands above it.
    """
    write_text(Path(path), comment + Config(plain(cfg)).pretty_text)


def _value(value: Any, spec: Spec | None, node: Any, key: str) -> Any:
    """What is written for a key of a node, read as what is wanted there."""
    return value.read(wanted_kinds(spec, node, key)) if isinstance(value, Written) else value


def _read(name_or_path: str | os.PathLike[str], base: str | os.PathLike[str] | None) -> Any:
    cfg = read_file(name_or_path, base)
    follow_moves(cfg._cfg_dict)
    return cfg


def _check_key(
    node: Any, spec: Spec | None, key: str, walked: Sequence[str], dotted: str, must_exist: bool
) -> None:
    where = ".".join(walked) or "the config"
    if not isinstance(node, (Mapping, Config, list, tuple)):
        state = "switched off (None)" if node is None else f"a plain value, {node!r}"
        problem = f"{dotted}: {where} is {state} and has no key {key!r}; replace it whole"
        raise ConfigError([problem])
    known = known_keys(spec, node)
    present = key in (known or ()) if isinstance(node, (list, tuple)) else key in node
    if present or (not must_exist and (known is None or key in known)):
        return
    candidates = known if known is not None and not must_exist else known_keys(None, node)
    problem = unknown_name("key", key, map(str, candidates or ()))
    raise ConfigError([f"{dotted}: {problem} (in {where})"])


def _index(node: Any, key: str) -> Any:
    return int(key) if isinstance(node, (list, tuple)) else key
