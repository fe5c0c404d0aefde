"""Components from outside the package: the ``custom_imports`` of a config."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any


def import_custom(cfg: Any, folder: Path) -> list[str]:
    """Import the modules that a config names, so that they register their components.

    ``custom_imports = dict(imports=["package.module", "gated_sum.py"])``: an entry ending in
    ``.py`` is a file, relative to the config's folder; it is made absolute in place, so that a
    dumped config still finds it.

    Args:
        cfg: the ``Config`` as read.
        folder: the folder of the config file.

    Returns:
        One problem for each import that failed, unless ``allow_failed_imports`` is set.
    """
    custom = cfg.get("custom_imports")
    if not isinstance(custom, Mapping) or not isinstance(custom.get("imports"), (list, tuple)):
        return []  # absent, or the schema's validation reports it
    custom["imports"] = [  # type: ignore[index]
        str((folder / name).resolve()) if str(name).endswith(".py") else str(name)
        for name in custom["imports"]
    ]
    problems = []
    for name in custom["imports"]:
        try:
            if name.endswith(".py"):
                _import_file(Path(name))
            else:
                import_module(name)
        except (ImportError, OSError) as error:
            problems.append(f"custom_imports.imports: cannot import {name!r}: {error}")
    return [] if custom.get("allow_failed_imports", False) else problems


def _import_file(path: Path) -> None:
    # The name depends on the whole path: two folders may both hold a gated_sum.py.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"auralsam2_custom_{path.stem}_{digest}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
