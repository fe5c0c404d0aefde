from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

FAKES = Path(__file__).parents[1] / "fakes"


@pytest.fixture
def remote_work(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the work, for processes elsewhere too."""
    monkeypatch.syspath_prepend(str(FAKES))
    paths = [str(FAKES), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    import remote_work

    return remote_work


def steps_of(run: Any) -> list[int]:
    """The steps that a run has taken so far."""
    path = run.run_dir / "steps"
    return [int(line) for line in path.read_text().splitlines()] if path.is_file() else []
