"""The page on where everything lives: its files are there, its picture is of today's imports."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FOLDERS = ("tools", "ablations", "analysis", "auralsam2", "registry_configs", "docs", "tests")


@pytest.fixture
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("packages", ROOT / "docs" / "draw_packages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named_paths() -> list[str]:
    """Paths from the root that the page names, but for the new component's."""
    paths = re.findall(r"`([\w/]+(?:\.py|/))(?::|`)", TEXT)
    whole = [path for path in paths if path.split("/")[0] in FOLDERS]
    return [path for path in whole if not path.endswith("gated_sum.py")]


def test_every_file_of_the_page_is_there() -> None:
    paths = named_paths()
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_names_of_files_alone_are_in_the_folder_of_their_row() -> None:
    for row in re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE):
        first, *others = re.findall(r"`([\w/]+\.py)`", row) or [""]
        for other in others:
            assert (ROOT / first).parent.joinpath(other).exists(), f"{other} beside {first}"


def test_the_picture_shows_the_imports(drawing: ModuleType) -> None:
    assert drawing.drawn() == drawing.listed(drawing.arrows()), "python docs/draw_packages.py"


def test_an_arrow_that_others_imply_is_left_out(drawing: ModuleType) -> None:
    found = drawing.arrows()
    assert found["tools"] and "auralsam2/*.py" not in found["tools"]
    heights = drawing.floors(found)
    assert all(heights[box] > heights[t] for box, targets in found.items() for t in targets)
    assert heights["auralsam2/*.py"] == 0
