"""Components from outside the package: the ``custom_imports`` of a config."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from auralsam2.builder import CUSTOM_MODULE
from auralsam2.custom_sources import siblings

CUSTOM_KEY = "custom_imports"


def import_custom(cfg: Any, folder: Path) -> list[str]:
    """Import the modules that a config names, so that they register their components.

    ``custom_imports = dict(imports=["package.module", "gated_sum.py"])``: an entry ending in
    ``.py`` is a file, relative to the config's folder; it is made absolute in place, so that a
    dumped config still finds it. Modules in the file's own folder can be imported by it.

    Args:
        cfg: the ``Config`` as read.
        folder: the folder of the config file.

    Returns:
        One problem for each import that failed, unless ``allow_failed_imports`` is set.
    """
    problems = []
    for name in locate_files(cfg, folder):
        try:
            if name.endswith(".py"):
                _import_file(Path(name))
            else:
                import_module(name)
        except Exception as error:  # the file is a program of the user's: it may raise anything
            problems.append(f"custom_imports.imports: cannot import {name!r}: {_reason(error)}")
    allowed = bool(problems) and cfg[CUSTOM_KEY].get("allow_failed_imports", False)
    return [] if allowed else problems


def locate_files(cfg: Any, folder: Path) -> list[str]:
    """Make the files of ``custom_imports`` absolute, in place; relative ones lie in a folder.

    Returns:
        Modules and files to import; none where the config names none, or not in a list.
    """
    custom = cfg.get(CUSTOM_KEY)
    if not isinstance(custom, Mapping) or not isinstance(custom.get("imports"), (list, tuple)):
        return []  # absent, or the schema's validation reports it
    custom["imports"] = [  # type: ignore[index]
        str((folder / name).resolve()) if str(name).endswith(".py") else str(name)
        for name in custom["imports"]
    ]
    return list(custom["imports"])


def _reason(error: Exception) -> str:
    """What was raised, and the line of the imported code that raised it."""
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, SyntaxError):
        shown = (error.text or "").strip()
        return f"{type(error).__name__}: {error.msg} (line {error.lineno}: {shown})"
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename not in _NOT_THE_USERS
    ]
    where = f" (line {own[0].lineno}: {own[0].line})" if own else ""
    kind = "" if isinstance(error, ImportError) else f"{type(error).__name__}: "
    return f"{kind}{text}{where}"


_NOT_THE_USERS = (__file__, import_module.__code__.co_filename)


def _import_file(path: Path) -> None:
    # The name depends on the whole path: two folders may both hold a gated_sum.py.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"{CUSTOM_MODULE}{path.stem}_{digest}"
    if name in sys.modules:
        return
    _let_find_siblings(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _let_find_siblings(path: Path) -> None:
    """Make the folder of a file one in which modules are looked for, after all others.

    Raises:
        ImportError: where a module beside the file has the name of another one, which would be
            imported in its place: an installed one, or one of another folder.
    """
    beside = siblings(path)
    if beside and str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
        importlib.invalidate_caches()
    for name, file in beside.items():
        loaded = sys.modules.get(name)
        spec = importlib.util.find_spec(name) if loaded is None else loaded.__spec__
        found = getattr(loaded, "__file__", None) or (spec and spec.origin) or "built-in"
        if not Path(found).is_file() or not file.samefile(found):
            raise ImportError(
                f"it imports {name!r}, and beside it lies '{file}', but Python has another module "
                f"of that name ({found}): rename the file"
            )
