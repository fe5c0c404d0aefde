from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import pandas as pd
import pytest

from analysis.figures import style


def test_the_style_ends_with_its_block() -> None:
    before = matplotlib.rcParams["font.size"]
    with style.paper_style():
        assert matplotlib.rcParams["font.serif"] == ["STIXGeneral"]
        assert matplotlib.rcParams["pdf.fonttype"] == 42
        for key in ("font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize"):
            assert matplotlib.rcParams[key] >= style.SMALLEST_PT
    assert matplotlib.rcParams["font.size"] == before


def test_importing_it_picks_no_backend() -> None:
    program = (
        "import matplotlib\nbefore = dict.__getitem__(matplotlib.rcParams, 'backend')\n"
        "import analysis.figures.style\n"
        "print(dict.__getitem__(matplotlib.rcParams, 'backend') == before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_unknown_width() -> None:
    with pytest.raises(ValueError, match="unknown width 'half'; known: column, page"):
        style.new_figure("half", 1)


def test_the_same_numbers_give_the_same_files(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"x": [1, 2]})
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        with style.paper_style():
            figure = style.new_figure("column", 1)
            figure.subplots().plot(numbers["x"])
            paths = style.save(figure, numbers, folder, "line")
        assert [path.name for path in paths] == ["line.pdf", "line.png", "line.csv"]
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
