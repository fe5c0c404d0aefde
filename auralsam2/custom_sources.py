"""Files that a custom import consists of: the one that is named, and what it imports beside it.

They are found by reading, not by running, so that an import inside a function is found as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path


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
