"""Recipes: what they state, and all that is wrong with one at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.paper.part import PARTS, load_recipe, option
from analysis.paper.source import find_sources
from auralsam2.config import ConfigError

OWN_PART = '''
from analysis.paper.part import PARTS, Made, Part

@PARTS.register_module()
class Colophon(Part):
    """Who made it."""

    def __init__(self, author, **shared):
        super().__init__(**shared)
        self.author = author

    def make(self, source, out):
        out.mkdir(parents=True, exist_ok=True)
        (out / "colophon.txt").write_text(self.author)
        return Made([out / "colophon.txt"])

    def arguments(self, source, out):
        return ["report", str(source.path)]
'''


def test_the_shipped_recipe_names_every_part() -> None:
    recipe = load_recipe("paper")
    stated = {node["type"] for node, _ in recipe.parts}
    assert stated == set(PARTS.names())
    folders = [(type(part), part.folder) for _, part in recipe.parts]
    assert len(set(folders)) == len(folders)


def test_all_problems_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "titel = 'x'\nparts = [dict(type='ScoreTabel'), dict(type='GridPoints', clips=2),"
        " dict(folder='x')]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_recipe(str(path))
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    for hint in ("'title'", "'ScoreTable'", "clips", "'type'"):
        assert hint in text


@pytest.mark.parametrize("text", ["title = 'x'\n", "parts = []\n", "parts = 3\n"])
def test_a_recipe_without_parts(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(ConfigError, match="parts: wanted a list"):
        load_recipe(str(tmp_path / "mine.py"))


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match=r"figures/paper"):
        load_recipe("papre")


def test_a_part_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "colophon.py").write_text(OWN_PART)
    (tmp_path / "mine.py").write_text(
        "custom_imports = dict(imports=['colophon.py'])\n"
        "parts = [dict(type='Colophon', author='me')]\n"
    )
    try:
        ((node, part),) = load_recipe(str(tmp_path / "mine.py")).parts
        assert node == {"type": "Colophon", "author": "me"} and part.author == "me"
    finally:
        PARTS.module_dict.pop("Colophon", None)


def test_wrong_values_are_told_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "parts = [dict(type='ScoreTable', spread='intervals'), dict(type='Failures',"
        " rules=['lowset']), dict(type='Dilution', sounds=['swaped']), dict(type='Embeddings',"
        " cells='ours'), dict(type='GridPoints', folder='../elsewhere'), dict(type='Embeddings',"
        " perplexities=[15, 0])]"
    )
    with pytest.raises(ConfigError) as caught:
        load_recipe(str(tmp_path / "mine.py"))
    hints = ("std, interval", "'lowest'", "'swapped'", "['ours']", "'../elsewhere'", "[15, 0]")
    assert len(caught.value.problems) == 6
    for hint, problem in zip(hints, caught.value.problems, strict=True):
        assert hint in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, ["--x"]),
        (False, []),
        (None, []),
        (0, ["--x", "0"]),
        ("a b", ["--x", "a b"]),
        ((), []),
        (["a", 2], ["--x", "a", "2"]),
    ],
)
def test_arguments_become_options(value: object, said: list[str]) -> None:
    assert option("--x", value) == said


def test_all_that_a_part_is_told_stands_in_its_command(
    tmp_path: Path, write_grid: Callable[..., Path]
) -> None:
    (source,) = find_sources(write_grid(tmp_path / "arms"), again=True)
    nodes: dict[str, dict[str, Any]] = {
        "ScoreTable": dict(
            **dict(over="clips", significance=False, columns=["fps"], scores=["test:J"], title="T")
        ),
        "Failures": dict(rules=["lowest"], other="none", reference="dense", num_clips=2),
        "Dilution": dict(cells=["none"], sounds=["noise"], max_clips=3, split="held", heads=True),
        "Embeddings": dict(max_clips=3, level=0, perplexities=[5]),
        "Robustness": dict(corruptions=["Gain", dict(type="Babble", voices=2)], max_clips=3),
        "Report": dict(num_clips=0, reference="dense"),
        "Qualitative": dict(num_clips=1),
    }
    said = {
        "ScoreTable": (
            "--spread std --scores test:J --title T --columns fps --clips-alone --no-significance"
        ),
        "Failures": "--failures lowest --clips 2 --against none --reference dense",
        "Dilution": "--cells none --max-clips 3 --split held --sounds noise --heads",
        "Embeddings": "--max-clips 3 --split test --level 0 --perplexities 5",
        "Robustness": "--max-clips 3 --split test --corruptions Gain Babble",
        "Report": "--clips 0 --reference dense --again",
        "Qualitative": "--clips 1",
    }
    for name, node in nodes.items():
        part = PARTS.build({"type": name, **node})
        assert " ".join(part.arguments(source, tmp_path / "out")[4:]) == said[name]
