"""The page on differences: its switches exist, and no difference of shipped presets is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from ablations.grids.file import shipped_grids
from auralsam2 import config as configs
from auralsam2.moved_arguments import earlier_type
from auralsam2.registry import REGISTRIES, load_all
from auralsam2.signature import parameters_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "differences.md"
TEXT = PAGE.read_text(encoding="utf-8")
DATA_SETS = ("v1s", "v1m", "v2", "ref_avs")
PRESETS = tuple(f"auralsam2/{p}/{d}" for p in ("published", "released") for d in DATA_SETS)
ABSENT = object()


def rows(header: str) -> Iterator[dict[str, str]]:
    """Rows of all tables that have a column whose title begins with ``header``."""
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        lines = [re.split(r"(?<!\\)\|", line.strip("|\n")) for line in block.splitlines()]
        titles, _, *cells = [[cell.strip() for cell in line] for line in lines]
        if any(title.startswith(header) for title in titles):
            for line in cells:
                assert len(line) == len(titles), f"cells and columns do not match: {line}"
                yield dict(zip(titles, line, strict=True))


def switch(row: dict[str, str]) -> str:
    (cell,) = (text for title, text in row.items() if title.startswith("switch"))
    return cell


NUMBERED = [row for row in rows("#") if row["#"].isdecimal()]
SWITCHES = {row["#"]: switch(row) for row in NUMBERED}
# A name, and the components or configs' nodes whose it is: `scope` of `A` and of `B`.
NAME = re.compile(r"`([\w.]+)`(?! →)((?:(?:,| and)? of `[\w.]+`)*)")


@cache
def components() -> dict[str, type]:
    load_all()
    return {n: registry.lookup(n) for registry in REGISTRIES.values() for n in registry.names()}


@cache
def loaded(name: str) -> Any:
    return configs.load(name).to_dict()


def is_key(path: str) -> bool:
    """Whether some preset takes this dotted path."""
    for name in (*PRESETS, "auralsam2/mini_v1m", "auralsam2/mini_ref_avs"):
        try:
            configs.set_node(Config(loaded(name)), path, None)
        except configs.ConfigError:
            continue
        return True
    return False


def is_argument(argument: str, owner: str) -> bool:
    if owner in components():
        return argument in parameters_of(components()[owner]).known
    return is_key(f"{owner}.{argument}")


def test_the_rows_are_numbered_through() -> None:
    assert [row["#"] for row in NUMBERED] == [str(n) for n in range(1, len(NUMBERED) + 1)]
    assert len(NUMBERED) >= 53


@pytest.mark.parametrize("number", SWITCHES)
def test_every_switch_exists(number: str) -> None:
    cell = SWITCHES[number]
    named = []
    for name, owners in NAME.findall(cell):
        owned_by = re.findall(r"`([\w.]+)`", owners)
        if owned_by:
            missing = [owner for owner in owned_by if not is_argument(name, owner)]
            assert not missing, f"{name} is no argument of {missing}"
        elif name in shipped_grids() and f"grid `{name}`" in cell:
            continue
        elif "." in name and not re.fullmatch(r"[\d.]+", name):
            assert is_key(name), f"no preset has the key {name}"
        else:
            continue
        named.append(name)
    assert named or cell.startswith("none"), "neither a switch nor none"
    for component in re.findall(r"`([A-Z]\w+)`", cell):
        assert component in components(), f"{component} is not registered"


@pytest.mark.parametrize("number", SWITCHES)
def test_both_values_of_a_switch_are_known(number: str) -> None:
    """A text value is named by the docstring of the component whose argument it is."""
    cell = SWITCHES[number]
    for argument, owner, clause in re.findall(r"`(\w+)` of `(\w+)`((?:[^;`]|`(?!\w+` of))*)", cell):
        for value in re.findall(r"`(\w+)`", clause if owner in components() else ""):
            # A base class may document what its subclasses pass on.
            known = "".join(base.__doc__ or "" for base in components()[owner].__mro__)
            quoted = re.search(rf"[\"`]{value}[\"`]", known)
            assert quoted or value in components(), f"{argument}={value} of {owner}"


def differences(one: Any, other: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where two configs differ: the path of a key, with the new component's name at its end."""
    if isinstance(one, dict) and isinstance(other, dict):
        types = one.get("type"), other.get("type")
        if types[0] != types[1]:
            yield (*path, types[1])
        if types[0] not in (types[1], earlier_type("type", types[1])):
            for name in changed_defaults(*types):
                yield (*path, name)
            return
        for key in (one.keys() | other.keys()) - {"type"}:
            pair = one.get(key, ABSENT), other.get(key, ABSENT)
            yield from differences(*pair, path=(*path, str(key)))
    elif is_nodes(one) or is_nodes(other):
        yield from differences_of_nodes(one, other, path)
    elif one != other:
        yield path


def differences_of_nodes(one: Any, other: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    kinds = [[node["type"] for node in nodes] for nodes in (one, other)]
    if kinds[0] == kinds[1]:
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, path=(*path, str(index)))
    elif kinds[1]:
        yield from (
            (*path, kind) for kind in set(kinds[0]) if kinds[0].count(kind) != kinds[1].count(kind)
        )
    else:
        yield path


def changed_defaults(published: str, released: str) -> Iterator[str]:
    """Arguments of the new component that the old one lacks or starts otherwise."""
    old, new = (parameters_of(components()[name]).known for name in (published, released))
    for name, parameter in new.items():
        if name not in old or old[name].default != parameter.default:
            yield name


def is_nodes(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(v, dict) for v in value)


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_every_difference_of_published_and_released_is_listed(data_set: str) -> None:
    """By the name of the argument or of the component that a preset changes."""
    names = set(re.findall(r"[\w]+", " ".join(SWITCHES.values())))
    found = [loaded(f"auralsam2/{preset}/{data_set}") for preset in ("published", "released")]
    listed = list(differences(*found))
    assert len(listed) > 20, "the presets differ in model, losses, data and scores"
    # Width of the projector: stated in words beside the heads' names.
    missing = {".".join(p) for p in listed if p[-1] not in names and p[-1] != "out_channels"}
    assert missing == set()


MINI = TEXT.partition("## The mini presets")[2].partition("\n## ")[0]


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_every_difference_of_the_mini_presets_is_listed(data_set: str) -> None:
    names = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", MINI))))
    found = [loaded(f"auralsam2/{name}{data_set}") for name in ("published/", "mini_")]
    listed = {path for path in differences(*found) if path != ("data", "root")}
    assert {("model", "fusion", "scope"), ("model", "contrastive_loss", "weight")} <= listed
    own = {"out_channels", "width", "weights", "random_weights", "frozen", "num_tokens", "cache"}
    missing = {".".join(path) for path in listed if path[-1] not in names | own}
    assert missing == set()


def test_the_stated_values_of_scope_and_weight_are_those_of_the_presets() -> None:
    small = loaded("auralsam2/mini_v1m")["model"]
    assert f"| `{small['fusion']['scope']}` |" in MINI
    assert f"| {small['contrastive_loss']['weight']} |" in MINI
    assert f"| {parameter_default('AudioConLoss', 'weight')} |" in MINI
    assert f"| `{parameter_default('TwoWayTPAVIFusion', 'scope')}`: " in MINI


def parameter_default(component: str, argument: str) -> Any:
    return parameters_of(components()[component]).known[argument].default


@pytest.mark.parametrize("size", ["tiny", "small", "base_plus", "large"])
def test_other_sizes_of_sam2_differ_in_size_and_epochs_alone(size: str) -> None:
    found = differences(loaded("auralsam2/published/v1m"), loaded(f"auralsam2/hiera_{size}_v1m"))
    stated = {"model.backbone.size", "model.backbone.checkpoint", "optim.epochs"}
    assert {".".join(path) for path in found} <= stated
    assert "80 epochs" in MINI and loaded(f"auralsam2/hiera_{size}_v1m")["optim"]["epochs"] == 80
