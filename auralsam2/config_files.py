"""Files of configs: shipped ones by name, others by path, and one on another base."""

from __future__ import annotations

import ast
import os
import tempfile
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from mmengine.config import Config

from auralsam2.listing import files_below
from auralsam2.messages import ProblemsError, unknown_name

CONFIG_PACKAGE = "registry_configs"


class ConfigError(ProblemsError):
    """A config that cannot be used."""

    source = "config"


def names(folder: str = "") -> list[str]:
    """Return the names of shipped configs, e.g. ``grids/demo``.

    Args:
        folder: list only those below this folder, e.g. ``"grids"``.
    """
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
        path = Path(name).expanduser()
        if path.is_file():
            return path.resolve()
        raise FileNotFoundError(f"no config file {name!r} (looked at {path.resolve()})")
    known = names()
    for candidate in (name, f"{folder}/{name}"):
        if candidate in known:
            stands_for, _ = aliases().get(candidate, (candidate, ""))
            return _config_root() / f"{stands_for}.py"
    listed = names(folder)
    raise FileNotFoundError(
        unknown_name("config", name, listed) + "; a config of your own is a path ending in .py"
    )


def aliases() -> dict[str, tuple[str, str]]:
    """Return name -> the config or grid that it stands for, and the base that this has there."""
    return getattr(import_module(CONFIG_PACKAGE), "ALIASES", {})


def base_of(name_or_path: str | os.PathLike[str], folder: str = "") -> str | None:
    """Return the base that a name stands for; None for the one that its file names."""
    name = os.fspath(name_or_path)
    pair = aliases().get(name) or aliases().get(f"{folder}/{name}")
    return pair[1] if pair else None


def _config_root() -> Path:
    return Path(str(resources.files(CONFIG_PACKAGE)))


def read_file(
    name_or_path: str | os.PathLike[str], base: str | os.PathLike[str] | None = None
) -> Any:
    """Return a config as its file states it, inheriting from ``base`` where one is given."""
    path, base = find(name_or_path), base or base_of(name_or_path)
    text = None if base is None else _on_base(path, find(base))
    try:
        if text is None:
            cfg = Config.fromfile(path, import_custom_modules=False)
        else:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".py") as file:
                file.write(text)
                file.flush()
                cfg = Config.fromfile(file.name, import_custom_modules=False)
    except Exception as error:  # a config file is a program: it may raise anything
        raise ConfigError([f"{type(error).__name__}: {error}"], source=str(path)) from error
    for name in [key for key in cfg if key.startswith("_")]:
        cfg.pop(name)  # a variable of the file; mmengine drops only those with two underscores
    return cfg


def _on_base(path: Path, base: Path) -> str:
    """Return the text of a config, inheriting from ``base`` in place of the config it names."""
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
    lines[stated[0].lineno - 1 : stated[0].end_lineno] = [f"_base_ = {str(base)!r}"]
    return "\n".join(lines)
