from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from ablations.grids import resolve as resolving
from ablations.grids.resolve import resolve
from auralsam2 import config


@pytest.fixture
def other_config(base_config: Path) -> Path:
    """A config beside the base that differs in two places."""
    cfg = Config.fromfile(base_config)
    cfg.model.fusion = dict(type="GateFusion", gate=0.2)
    cfg.optim.epochs = 7
    path = base_config.parent / "other.py"
    path.write_text(cfg.pretty_text)
    return path


def test_a_cell_starts_from_its_own_config(write_grid, other_config: Path) -> None:
    grid = write_grid(
        overrides={"optim.accumulate": 4},
        axes={
            "model": [dict(name="ours", set={}), dict(name="theirs", config="other.py")],
            "data.batch_size": [2],
        },
        cells=[dict(name="named", config="other.py", set={"optim.epochs": 9})],
    )
    found, problems = resolve(grid, grid.cells(), {"data.num_workers": 1})
    assert problems == []
    ours, theirs = found["ours, batch_size=2"], found["theirs, batch_size=2"]
    assert (ours.model.fusion.type, ours.optim.epochs) == ("SumFusion", 2)
    assert (theirs.model.fusion.gate, theirs.optim.epochs) == (0.2, 7)
    assert (found["named"].model.fusion.gate, found["named"].optim.epochs) == (0.2, 9)
    for cfg in found.values():
        assert (cfg.optim.accumulate, cfg.data.num_workers) == (4, 1)


def test_the_same_as_loading_each_alone(write_grid, base_config: Path) -> None:
    nodes = [dict(type="GateFusion", gate=0.1), dict(type="SumFusion")]
    grid = write_grid(axes={"model.fusion": nodes, "seed": [1, 2]})
    found, _ = resolve(grid, grid.cells(), {})
    for cell in grid.cells():
        alone = config.load(str(base_config), cell.overrides)
        assert found[cell.name].to_dict() == alone.to_dict()
    one, two = (found[f"GateFusion, seed={seed}"] for seed in (1, 2))
    one.model.fusion.gate = one.model.depths = 0.7
    assert (two.model.fusion.gate, two.model.depths) == (0.1, (1, 2))


def test_each_file_is_parsed_once(
    write_grid, other_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    peek = config.peek
    monkeypatch.setattr(resolving.config, "peek", lambda n: parsed.append(Path(n).name) or peek(n))
    grid = write_grid(
        axes={
            "model": [dict(name="ours", set={}), dict(name="theirs", config="other.py")],
            "optim.epochs": [1, 2, 3],
        }
    )
    assert len(resolve(grid, grid.cells(), {})[0]) == 6
    assert sorted(parsed) == ["other.py", "toy.py"]


def test_configs_that_cannot_be_read_are_problems_of_their_cells(
    write_grid, base_config: Path
) -> None:
    (base_config.parent / "broken.py").write_text("seed = 1 / 0")
    grid = write_grid(
        cells=[
            dict(name="fine", set={}),
            dict(name="broken", config="broken.py"),
            dict(name="nowhere", config="auralsam2/mini_v2m"),
        ]
    )
    found, problems = resolve(grid, grid.cells(), {})
    assert [name for name, cfg in found.items() if cfg is None] == ["broken", "nowhere"]
    said = dict(problems)
    assert "ZeroDivisionError" in said["broken"] and "broken.py" in said["broken"]
    assert "unknown config 'auralsam2/mini_v2m'; did you mean" in said["nowhere"]


def test_settings_that_another_config_does_not_know(write_grid, other_config: Path) -> None:
    grid = write_grid(
        axes={
            "model": [dict(name="ours", set={}), dict(name="theirs", config="other.py")],
            "model.fusion.num_heads": [2, 4],
        }
    )
    _, problems = resolve(grid, grid.cells(), {})
    assert {cell for cell, _ in problems} == {"theirs, num_heads=2", "theirs, num_heads=4"}
    assert all("unknown key 'num_heads'" in problem for _, problem in problems)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (dict(imprts=["x.py"]), "unknown key 'imprts'; did you mean 'imports'?"),
        (dict(imports="x.py"), "custom_imports.imports: must be list or tuple, got 'x.py'"),
    ],
)
def test_imports_that_are_stated_wrongly_are_told(
    write_grid, stated: dict[str, object], said: str
) -> None:
    grid = write_grid(axes={"optim.epochs": [1, 2]}, custom_imports=stated)
    found, problems = resolve(grid, grid.cells(), {})
    assert set(found.values()) == {None}
    assert all(any(said in text for cell, text in problems if cell == name) for name in found)
