from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from ablations.grids.axes import GridError
from ablations.grids.file import load_grid, read_statements, shipped_grids
from auralsam2 import config

AXES = {"prompts": [dict(name="none", set={}), dict(name="both", set={"seed": 3})]}


def test_defaults(write_grid, base_config: Path) -> None:
    grid = write_grid(axes=AXES)
    assert (grid.name, grid.title, grid.out) == ("tiny", "tiny", "work_dirs/tiny")
    assert (grid.seeds, grid.reference, grid.base) == ((0,), None, str(base_config))
    assert [cell.name for cell in grid.cells()] == ["none", "both"]


def test_everything_stated(write_grid) -> None:
    grid = write_grid(
        base="auralsam2/mini_v1m",
        axes=AXES,
        seeds=[2, 5],
        overrides={"optim.epochs": 1},
        out="elsewhere",
        title="Prompts",
        reference="both",
    )
    assert (grid.base, grid.out, grid.title) == ("auralsam2/mini_v1m", "elsewhere", "Prompts")
    assert (grid.seeds, grid.reference, grid.overrides) == ((2, 5), "both", {"optim.epochs": 1})


def test_all_problems_at_once(write_grid, tmp_path: Path) -> None:
    with pytest.raises(GridError) as caught:
        write_grid(axes={"a": [], "b": [1]}, seed=[0], seeds=3, title=4, reference="c", overides={})
    text = str(caught.value)
    for part in (
        str(tmp_path / "tiny.py"),
        "unknown key 'seed'; did you mean 'seeds'?",
        "unknown key 'overides'; did you mean 'overrides'?",
        "seeds: got 3, wanted list",
        "title: got 4, wanted str",
        "axis 'a': got []",
    ):
        assert part in text


def test_unknown_reference(write_grid) -> None:
    with pytest.raises(GridError, match="unknown cell 'bth'; did you mean 'both'"):
        write_grid(axes=AXES, reference="bth")


def test_missing_keys(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(GridError, match=r"2 problems\n  - missing key 'base'\n.*'axes'"):
        load_grid(str(tmp_path / "empty.py"))


def test_shipped_grids_are_found_by_name() -> None:
    assert load_grid("demo").name == "demo"
    assert load_grid("grids/demo").name == "demo"
    with pytest.raises(FileNotFoundError) as caught:
        load_grid("demmo")
    text = str(caught.value)
    assert "unknown grid 'demmo'; did you mean 'demo'?" in text
    assert re.search(r"\n  prompts  +Which audio prompts does a frozen SAM2 need\?", text)


def test_a_missing_file_is_no_unknown_name() -> None:
    with pytest.raises(FileNotFoundError, match=r"no config file 'nowhere\.py'"):
        load_grid("nowhere.py")


def test_the_whole_language(write_grid, base_config: Path) -> None:
    grid = write_grid(
        axes={
            "prompts": [dict(name="none", set={}), dict(name="x", config="toy.py")],
            "optim.epochs": [3, 4],
        },
        mode="one_at_a_time",
        when={"optim.epochs": {"prompts": ["none"]}},
        exclude=[{"prompts": "x"}],
        cells=[dict(name="theirs", config="toy.py", set={"seed": 3})],
    )
    assert [cell.name for cell in grid.cells([7])] == ["base", "epochs=4", "theirs"]
    assert grid.reference == "base"
    # A path beside the grid holds wherever the command is run.
    assert grid.named_cells[0].config == grid.axes[0].values[1].config == str(base_config)


def test_cells_alone(write_grid) -> None:
    grid = write_grid(cells=[dict(name="a", set={}), dict(name="b", set={"seed": 1})])
    assert ([cell.name for cell in grid.cells()], grid.reference) == (["a", "b"], None)


def test_an_excluded_reference(write_grid) -> None:
    with pytest.raises(GridError, match="cell 'both' is left out by exclude"):
        write_grid(axes=AXES, reference="both", exclude=[{"prompts": "both"}])


def test_problems_of_axes_and_cells_together(write_grid) -> None:
    with pytest.raises(GridError) as caught:
        write_grid(axes={"a": []}, cells=[dict(nam="x", set={})], mode=3, whenn={})
    text = str(caught.value)
    for part in ("axis 'a': got []", "did you mean 'name'?", "mode: got 3", "did you mean 'when'?"):
        assert part in text


def test_the_list_of_grids_says_what_each_asks() -> None:
    grids = shipped_grids()
    assert grids["prompts"].startswith("Which audio prompts")
    assert grids["demo"] == "prompts --base auralsam2/mini_v1m"
    asked = [said for said in grids.values() if " --base " not in said]
    assert len(asked) > 10 and all(question.endswith((".", "?")) for question in asked)


ON_MINI = {"auralsam2/mini_v1m": dict(seeds=[4], overrides={"optim.epochs": 2})}


def test_a_grid_on_another_base(write_grid, tmp_path: Path) -> None:
    write_grid(axes=AXES, seeds=[0, 1], title="Prompts", bases=ON_MINI)
    path = str(tmp_path / "tiny.py")
    on_mini = load_grid(path, "auralsam2/mini_v1m")
    assert (on_mini.base, on_mini.seeds) == ("auralsam2/mini_v1m", (4,))
    assert (on_mini.overrides, on_mini.title) == ({"optim.epochs": 2}, "Prompts")
    assert (on_mini.name, on_mini.out) == ("tiny_mini_v1m", "work_dirs/tiny_mini_v1m")
    # A base that the file does not speak of changes nothing else.
    other = load_grid(path, "auralsam2/mini_v1s")
    assert (other.base, other.seeds, other.overrides) == ("auralsam2/mini_v1s", (0, 1), {})
    own = load_grid(path)
    assert (own.seeds, own.name) == ((0, 1), "tiny") and load_grid(path, own.base) == own


def test_a_base_by_its_path_is_one_of_the_working_folder(
    write_grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, tmp_path / "elsewhere"):
        folder.mkdir(exist_ok=True)
        (folder / "small.py").write_text("")
    write_grid(axes=AXES, bases={"small.py": dict(seeds=[4])})
    path = str(tmp_path / "tiny.py")
    monkeypatch.chdir(tmp_path / "elsewhere")
    beside, here = load_grid(path, "../small.py"), load_grid(path, "small.py")
    assert (beside.base, beside.seeds) == (str(tmp_path / "small.py"), (4,))
    assert (here.base, here.seeds) == (str(tmp_path / "elsewhere" / "small.py"), (0,))
    assert here.name == beside.name == "tiny_small"


def test_a_shipped_base_by_its_path_is_the_one_of_its_name() -> None:
    path = config.find("auralsam2/mini_v1m")
    assert load_grid("pyramid", str(path)) == load_grid("pyramid_mini")


def test_cells_with_a_config_of_their_own_do_not_follow_another_base(
    write_grid, tmp_path: Path
) -> None:
    cells = [dict(name="theirs", config="auralsam2/mini_v1m"), dict(name="own", set={})]
    write_grid(cells=cells, bases=ON_MINI)
    assert len(load_grid(str(tmp_path / "tiny.py"), "auralsam2/mini_v1m").cells()) == 2
    with pytest.raises(
        GridError, match=r"1 cells start from a config of their own, e\.g\. 'theirs'"
    ):
        load_grid(str(tmp_path / "tiny.py"), "auralsam2/mini_v1s")


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        ({"b": dict(seed=[0])}, "bases, 'b': unknown key 'seed'; did you mean 'seeds'?"),
        ({"b": dict(base="c")}, "bases, 'b': unknown key 'base'"),
        ({"b": [0]}, r"bases, 'b': got \[0\], wanted a dict"),
        ([1], r"bases: got \[1\], wanted dict"),
    ],
)
def test_bases_that_are_none(write_grid, bases: object, said: str) -> None:
    with pytest.raises(GridError, match=said):
        write_grid(axes=AXES, bases=bases)


def test_what_counts_as_stated(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "from __future__ import annotations\nimport math\nfrom math import pi\n_own = 1\n"
        "def f(): ...\nclass C: ...\nseeds = [_own]\n"
    )
    assert read_statements(path, GridError) == {"pi": math.pi, "seeds": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("a = (", "SyntaxError"),
        ("raise SystemError('x')", "SystemError: x"),
        ("_base_ = ['x']", "_base_: this file inherits nothing; name a config as base"),
    ],
)
def test_files_that_cannot_be_read_name_themselves(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(GridError, match=rf"(?s)broken\.py.*{said}"):
        load_grid(str(path))
