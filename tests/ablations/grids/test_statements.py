from __future__ import annotations

from pathlib import Path

import pytest

from ablations.grids.axes import GridError
from ablations.grids.statements import read_statements


def test_what_counts_as_stated(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "from __future__ import annotations\nimport math\nfrom math import pi\n_own = 1\n"
        "def f(): ...\nclass C: ...\nseeds = [_own]\n"
    )
    import math

    assert read_statements(path, GridError) == {"pi": math.pi, "seeds": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("a = (", "SyntaxError"),
        ("_base_ = ['x']", "_base_: this file inherits nothing"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.py"
    path.write_text(text)
    with pytest.raises(GridError, match=said):
        read_statements(path, GridError)
