"""torchvggish's mel filters and their parameters, which belong to VGGish's weights.

Loaded from their own files: the package around them imports torch, resampy and numba, about a
second that every process would pay before its first step.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

_PACKAGE = "torchvggish"


@cache
def torchvggish_file(name: str) -> ModuleType:
    """Return a module of torchvggish that imports nothing of its package.

    Args:
        name: ``"mel_features"`` or ``"vggish_params"``.

    Raises:
        ImportError: where torchvggish is not installed.
    """
    package = find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ImportError(f"log-mel spectrograms need {_PACKAGE}: pip install {_PACKAGE}")
    path = Path(package.submodule_search_locations[0]) / f"{name}.py"
    spec = spec_from_file_location(f"{_PACKAGE}_{name}", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
