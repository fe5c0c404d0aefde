"""Components from outside the package: the ``custom_imports`` of a config, and their files.

Files that an import consists of, the one that is named and what it imports beside it, are found by
reading, not by running, so that an import inside a function is found as well.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auralsam2.builder import CUSTOM_MODULE

CUSTOM_KEY = "custom_imports"


def import_custom(cfg: Any, folder: Path) -> list[str]:
    """Import the modules that a config names, so that they register their components.

    ``custom_imports = dict(imports=["package.module", "gated_sum.py"])``: an entry ending in
    ``.py`` is a file, relative to the config's folder; it is made absolute in place, so that a
    dumped config still finds it. Modules in the file's own folder can be imported by it.

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


def import_stated(cfg: Any) -> None:
    """Import what a resolved config names, in a process that starts without it.

    Raises:
        ImportError: with all that failed.
    """
    if problems := import_custom(cfg, Path()):
        raise ImportError("; ".join(problems))


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
    if isinstance(error, ModuleNotFoundError) and str(error.name).startswith(f"{__package__}."):
        where += "; docs/extend.md says from where parts of one's own import what they need"
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
        spec = find_spec(name) if loaded is None else loaded.__spec__
        found = getattr(loaded, "__file__", None) or (spec and spec.origin) or "built-in"
        if not Path(found).is_file() or not file.samefile(found):
            raise ImportError(
                f"it imports {name!r}, and beside it lies '{file}', but Python has another module "
                f"of that name ({found}): rename the file"
            )


def sources(imports: Iterable[str]) -> list[Path]:
    """Return the files behind entries of ``custom_imports``, each once, in a fixed order.

    Args:
        imports: files ending in ``.py`` and dotted names of modules. Of a file, modules in its own
            folder count; of a module, those of its own top-level package. What does not exist, or
            is no Python, is left out: importing it is what fails.
    """
    found: dict[Path, None] = {}
    for name in imports:
        is_file = name.endswith(".py")
        file = Path(name) if is_file else _of_module(name)
        if file is None or not file.is_file():
            continue
        if is_file:
            _follow(file, file.parent, None, found)
        else:
            depth = len(name.split(".")) - (file.name != "__init__.py")
            _follow(file, file.parents[depth], name.split(".")[0], found)
    return list(found)


def siblings(file: Path) -> dict[str, Path]:
    """Return the modules beside a file that it imports, directly or not, by their names."""
    return {
        ".".join(inside.parts): path
        for path in sources([str(file)])
        if path != file and (inside := _module_path(path, file.parent)).parts
    }


def _follow(file: Path, root: Path, package: str | None, found: dict[Path, None]) -> None:
    """Add a file and what it imports below ``root``, of ``package`` alone where one is given."""
    if file in found:
        return
    found[file] = None
    for name in sorted(set(_imported(file, root))):
        if package is not None and name.split(".")[0] != package:
            continue
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            base = root.joinpath(*parts[:end])
            for candidate in (base.with_suffix(".py"), base / "__init__.py"):
                if candidate.is_file():
                    _follow(candidate, root, package, found)


def _imported(file: Path, root: Path) -> Iterator[str]:
    """Dotted names that a file imports, relative ones as seen from ``root``."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = _start(file, root, node.level) + (node.module or "").split(".")
            base = ".".join(part for part in start if part)
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _start(file: Path, root: Path, level: int) -> list[str]:
    """The package that ``level`` dots in a file below ``root`` mean."""
    if not level:
        return []
    folder = list(file.parent.relative_to(root).parts)
    return folder[: len(folder) - (level - 1)]


def _module_path(file: Path, root: Path) -> Path:
    inside = file.relative_to(root)
    return inside.parent if inside.name == "__init__.py" else inside.with_suffix("")


def _of_module(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None
