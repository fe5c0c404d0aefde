"""Every shipped grid: it can be planned, its cells differ, and their models can be built."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ablations.grids.file import Grid, load_grid, shipped_grids
from ablations.grids.plan import Plan, make_plan
from auralsam2 import config, registry
from auralsam2.data.synthetic.writer import Plan as ClipPlan
from auralsam2.data.synthetic.writer import write_clips

GRIDS = sorted(shipped_grids())
# The demo is the small form of the prompts; the others have one form only.
MINI = [name for name in GRIDS if name.endswith("_mini")]
REAL = [name for name in GRIDS if f"{name}_mini" in MINI]
ONE_FORM = {"demo", "prompts", "released_switches_mini", "methods_mini", "paper_mini"}
ONE_FORM |= {"methods_ref_avs_mini", "clicks_mini"}
PAIRS = [name for name in GRIDS if f"grids/{name}" in config.aliases()]
CLIPS = ClipPlan("v1m", (3, 2, 2), seed=5, size=32, num_frames=2)
CHANNELS = {True: 128, False: 256}


@cache
def planned(name: str) -> tuple[Grid, Plan]:
    """The plan of a grid, without data and weights, one seed."""
    grid = load_grid(name)
    plan = make_plan(grid, seeds=[0], check=lambda cfg: None, fingerprint=lambda cfg: "data")
    return grid, plan


@pytest.mark.parametrize("name", GRIDS)
def test_every_cell_is_a_valid_config_of_its_own(name: str) -> None:
    grid, plan = planned(name)
    assert plan.problems == []
    assert len(plan.runs) == len(grid.cells([0])) > 1
    assert len({run.config_hash for run in plan.runs}) == len(plan.runs), plan.notes


@pytest.mark.parametrize("name", GRIDS)
def test_it_says_what_it_asks_and_against_what(name: str) -> None:
    grid, _ = planned(name)
    asked, _, base = shipped_grids()[name].partition(" --base ")
    assert shipped_grids()[asked if base else name].endswith((".", "?"))
    assert bool(base) == (name in PAIRS) and base in ("", grid.base)
    assert grid.title != grid.name and grid.reference is not None
    assert len(grid.seeds) > 1, "one seed tells no difference from chance"
    small = grid.name.endswith("_mini") or grid.name == "demo"
    assert grid.base.startswith("auralsam2/mini_") == small


def test_there_is_a_small_form_of_each() -> None:
    assert {name for name in GRIDS if name not in MINI + REAL} <= ONE_FORM
    assert {name for name in MINI if name.removesuffix("_mini") not in REAL} <= ONE_FORM


@pytest.mark.parametrize("name", ["methods_mini", "paper_mini"])
def test_methods_that_read_the_data_in_different_ways_stand_in_one_table(
    name: str, tmp_path: Path
) -> None:
    write_clips(tmp_path / "clips", CLIPS)
    overrides = {"data.root": str(tmp_path / "clips"), "evaluation.counterfactuals": []}
    grid = load_grid(name)
    plan = make_plan(
        grid, out=tmp_path / "runs", seeds=[0], overrides=overrides, check=lambda cfg: None
    )
    assert plan.problems == []
    assert len({run.data_fingerprint for run in plan.runs}) == 1


@pytest.mark.parametrize("name", [name for name in GRIDS if f"grids/{name}" in config.aliases()])
def test_the_name_of_a_pair_is_the_grid_on_its_base(name: str) -> None:
    grid, base = config.aliases()[f"grids/{name}"]
    by_pair, by_name = load_grid(grid, base), load_grid(name)
    assert by_pair == by_name and by_pair.name == name and by_pair.base == base
    real = load_grid(grid)
    assert real.base != base and load_grid(grid, real.base) == real


@pytest.mark.parametrize("name", REAL)
def test_both_forms_ask_the_same(name: str) -> None:
    real, mini = (planned(which)[0] for which in (name, f"{name}_mini"))
    assert [axis.name for axis in real.axes] == [axis.name for axis in mini.axes]
    assert (real.mode, real.when) == (mini.mode, mini.when)


@pytest.mark.parametrize("name", GRIDS)
def test_the_model_of_every_cell_can_be_built(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device, behind stand-ins for whatever would read weights."""
    torch = pytest.importorskip("torch")
    _, plan = planned(name)
    # The other methods have tests of their own.
    for run in (run for run in plan.runs if "AuralSAM2" in run.cfg.model.type):
        size = run.cfg.data.image_size
        stand_in(monkeypatch, name, size)
        node = run.cfg.model.to_dict()
        # One block stands for all: they are most of the modules.
        shallow = {
            "visual_depths": tuple(min(depth, 1) for depth in node["visual_depths"]),
            "audio_depth": min(node.get("audio_depth", 1), 1),
        }
        with torch.device("meta"):
            model = registry.MODELS.build({**node, **shallow}, image_size=size)
        hears = {"sparse_prompt", "dense_prompt"} & {k for k, v in run.cfg.model.items() if v}
        assert model.listens == bool(hears)


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, size: int) -> None:
    """Give every cell a backbone and encoders of the right widths and no weights."""
    from torch import nn

    channels = CHANNELS[name.endswith("_mini") or name == "demo"]

    def build(node: Any = None, **_: Any) -> nn.Module:
        part, patch = nn.Module(), 14 if (node or {}).get("type") == "SAM3Backbone" else 16
        part.channels, part.out_channels, part.embedding_size = channels, 256, size // patch
        part.network = nn.Module()
        part.network.image_encoder = nn.Module()
        return part

    for part in (registry.BACKBONES, registry.AUDIO_ENCODERS):
        monkeypatch.setattr(part, "build", build)
    text = registry.TEXT_ENCODERS
    monkeypatch.setattr(text, "build", lambda node: None if node is None else build())


def test_what_the_small_backbones_differ_in_can_be_built() -> None:
    pytest.importorskip("sam2")
    _, plan = planned("backbone_mini")
    weights = []
    for run in plan.runs:
        if "64 px" in run.cell.name or "random" in run.cell.name:
            size = run.cfg.data.image_size
            backbone = registry.BACKBONES.build(run.cfg.model.backbone, image_size=size)
            assert backbone.embedding_size == size // 16
            weights.append(next(backbone.parameters()))
    trained, random = weights
    assert (trained != random).any()


def test_missing_weights_are_named_cell_by_cell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = make_plan(load_grid("backbone"), fingerprint=lambda cfg: "data")
    text = "\n".join(plan.problems)
    assert plan.runs == [] and "vggish-10086976.pth" in text
    for file in ("sam2_hiera_tiny.pt", "sam2_hiera_large.pt", "sam2.1_hiera_large.pt"):
        assert f"weights/{file}" in text
