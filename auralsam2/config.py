"""Configs: find, read, load, override, validate, dump.

A config is a plain mmengine ``Config``. Shipped ones are found by name, others by path;
`auralsam2.config_schema` says what they may hold, `auralsam2.config_identity` what of it counts.
"""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module, resources
from pathlib import Path, PurePath
from typing import Any

from mmengine.config import Config

from auralsam2.config_identity import config_hash as config_hash
from auralsam2.config_identity import plain
from auralsam2.config_overrides import override as override
from auralsam2.config_overrides import parse_overrides as parse_overrides
from auralsam2.config_overrides import read_value
from auralsam2.config_overrides import set_node as set_node
from auralsam2.config_schema import SCHEMA, Section, Spec, child_spec
from auralsam2.config_schema import ConfigError as ConfigError
from auralsam2.config_validation import validate as validate
from auralsam2.custom_imports import CUSTOM_KEY, import_custom, locate_files
from auralsam2.listing import files_below
from auralsam2.messages import unknown_name
from auralsam2.moved_arguments import follow_moves
from auralsam2.text_files import write_text

CONFIG_PACKAGE = "registry_configs"


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
    cfg = read_file(name_or_path, base)
    overrides = dict(overrides or {})
    locate_files(cfg, find(name_or_path).parent)
    imports = {key: value for key, value in overrides.items() if key.split(".")[0] == CUSTOM_KEY}
    if imports and CUSTOM_KEY not in cfg:
        cfg[CUSTOM_KEY] = dict(imports=[])
    problems = override(cfg, imports)
    problems += import_custom(cfg, Path.cwd())
    problems += override(cfg, {k: v for k, v in overrides.items() if k not in imports})
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
    cfg = read_file(name_or_path, base)
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
                node[last] = read_value(
                    value, spec if isinstance(spec, Section) else None, node, last
                )
    return cfg


def dump(cfg: Mapping[str, Any], path: str | os.PathLike[str], comment: str = "") -> None:
    """Write a config, below a comment, as one self-contained file that `load` reads back."""
    write_text(Path(path), comment + Config(plain(cfg)).pretty_text)


def names(folder: str = "") -> list[str]:
    """Return the names of shipped configs below a folder, e.g. ``grids/demo``."""
    root = _config_root()
    found = [path.relative_to(root).with_suffix("") for path in files_below(root, "*.py")]
    shown = [path.as_posix() for path in found if path.parts[0] != "_base_"] + [*aliases()]
    return sorted(n for n in shown if n.startswith(folder) and not n.endswith("__init__"))


def find(name_or_path: str | os.PathLike[str], folder: str = "") -> Path:
    """Return the file of a config.

    Args:
        name_or_path: the name of a shipped config without ``.py``, or the path of a file.
        folder: a folder of shipped configs whose name may be left out, e.g. ``"grids"``.

    Raises:
        FileNotFoundError: if there is neither such a file nor such a name; the message lists the
            known names.
    """
    name = os.fspath(name_or_path)
    if name.endswith(".py"):
        path = Path(os.path.expanduser(name))
        if path.is_file():
            return path.resolve()
        raise FileNotFoundError(f"no config file {name!r} (looked at {path.resolve()})")
    known = names()
    for candidate in (name, f"{folder}/{name}"):
        if candidate in known:
            stands_for, _ = aliases().get(candidate, (candidate, ""))
            return _config_root() / f"{stands_for}.py"
    listed = names(folder)
    beside = [one for one in listed if PurePath(one).parent == PurePath(name).parent]
    raise FileNotFoundError(
        unknown_name("config", name, listed, beside)
        + "; a config of your own is a path ending in .py"
    )


def aliases() -> dict[str, tuple[str, str]]:
    """Return name -> the config or grid that it stands for, and the base that this has there."""
    return getattr(import_module(CONFIG_PACKAGE), "ALIASES", {})


def base_of(name_or_path: str | os.PathLike[str], folder: str = "") -> str | None:
    """Return the base that a name stands for; None for the one that its file names."""
    name = os.fspath(name_or_path)
    pair = aliases().get(name) or aliases().get(f"{folder}/{name}")
    return pair[1] if pair else None


def read_file(
    name_or_path: str | os.PathLike[str], base: str | os.PathLike[str] | None = None
) -> Any:
    """Return a config as its file states it, inheriting from ``base`` where one is given."""
    path, _ = find(name_or_path), base and find(base)
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = _on_base(name_or_path, base, Path(folder))
            cfg = Config.fromfile(file, import_custom_modules=False)
    except ConfigError:
        raise
    except Exception as error:  # a config file is a program: it may raise anything
        raise ConfigError([f"{type(error).__name__}: {error}"], source=str(path)) from error
    for name in [key for key in cfg if key.startswith("_")]:
        cfg.pop(name)  # a variable of the file; mmengine drops only those with two underscores
    follow_moves(cfg._cfg_dict)
    return cfg


def _config_root() -> Path:
    return Path(str(resources.files(CONFIG_PACKAGE)))


def _on_base(
    name_or_path: str | os.PathLike[str], base: str | os.PathLike[str] | None, folder: Path
) -> Path:
    """Return the file of a config; where another base is asked for, a copy that inherits from it.

    Such copies are made in a folder, that of the base among them where its name stands for a pair.
    """
    path, base = find(name_or_path), base or base_of(name_or_path)
    if base is None:
        return path
    inherited = _on_base(base, None, folder)
    text = path.read_text(encoding="utf-8")
    stated = [
        statement
        for statement in ast.parse(text).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "_base_"
    ]
    bases = ast.literal_eval(stated[0].value) if stated else []
    if len([bases] if isinstance(bases, str) else bases) != 1:
        problem = f"--base replaces the one config that a config inherits from; it names {bases!r}"
        raise ConfigError([problem], source=str(path))
    lines = text.splitlines()
    lines[stated[0].lineno - 1 : stated[0].end_lineno] = [f"_base_ = {str(inherited)!r}"]
    return write_text(folder / f"on_{inherited.name}", "\n".join(lines))
