from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest) -> SimpleNamespace:
    """What the benchmark defines that a file of tests is named after."""
    path = FOLDER / request.path.name.removeprefix("test_")
    if not path.is_file():
        pytest.skip("benchmarks/ is not beside tests/")
    return SimpleNamespace(**runpy.run_path(str(path)))
