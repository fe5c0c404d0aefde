from __future__ import annotations

import copy
from functools import partial
from pathlib import Path, PurePosixPath

import pytest
from mmengine.config import Config

from auralsam2 import config
from auralsam2.config import (
    ConfigError,
    config_hash,
    dump,
    find,
    load,
    names,
    parse_overrides,
    set_node,
)


def test_load_merges_bases_and_applies_overrides(shipped: Path) -> None:
    cfg = load("auralsam2/toy_v1m", {"optim.power": 0.5, "model.fusion": dict(type="GateFusion")})
    assert (cfg.optim.epochs, cfg.optim.power, cfg.seed) == (5, 0.5, 0)
    assert cfg.model.fusion == dict(type="GateFusion")


def test_load_lists_problems_of_overrides_and_config_together(shipped: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load("auralsam2/toy_v1m", {"optim.epoch": 3, "data.batch_size": 0, "model.fusion": "Sm"})
    assert len(caught.value.problems) == 3
    message = str(caught.value)
    assert message.startswith("config 'auralsam2/toy_v1m': 3 problems\n  - ")
    assert "optim.epoch: unknown key 'epoch'; did you mean 'epochs'?" in message
    assert "data.batch_size: must be at least 1, got 0" in message
    assert "model.fusion: unknown fusion 'Sm'" in message


def test_variables_with_an_underscore_stay_in_their_file(
    tmp_path: Path, toy_config_dict: dict
) -> None:
    lines = [f"{key} = {value!r}" for key, value in toy_config_dict.items()]
    path = tmp_path / "private.py"
    path.write_text("\n".join(["_epochs = 7", *lines, "optim['epochs'] = _epochs"]))
    cfg = load(path)
    assert cfg.optim.epochs == 7 and "_epochs" not in cfg


def test_a_dict_replaces_its_node(toy_config: Config) -> None:
    set_node(toy_config, "model.fusion", dict(type="GateFusion", gate=0.1))
    assert toy_config.model.fusion == dict(type="GateFusion", gate=0.1)
    assert toy_config.model.fusion.gate == 0.1


def test_a_name_stands_for_its_node_and_none_switches_off(toy_config: Config) -> None:
    set_node(toy_config, "model.fusion", "GateFusion")
    assert toy_config.model.fusion == dict(type="GateFusion")
    set_node(toy_config, "model.projector", None)
    assert toy_config.model.projector is None
    set_node(toy_config, "data.root", "elsewhere")
    assert toy_config.data.root == "elsewhere"


def test_arguments_that_the_node_does_not_state_can_be_set(toy_config: Config) -> None:
    set_node(toy_config, "model.fusion.inner", dict(type="GateFusion"))
    set_node(toy_config, "evaluation.metrics.0.beta2", 1.0)
    set_node(toy_config, "data.test.extra", dict(type="ToyClips"))
    assert toy_config.model.fusion.inner.type == "GateFusion"
    assert toy_config.evaluation.metrics[0].beta2 == 1.0
    assert sorted(toy_config.data.test) == ["extra", "swapped", "test"]


def test_free_names_can_be_set_where_their_section_is_missing(toy_config: Config) -> None:
    set_node(toy_config, "optim.rate_factors.audio_encoder", 0.1)
    set_node(toy_config, "optim.rate_factors.fuser", 2)
    assert toy_config.optim.rate_factors == dict(audio_encoder=0.1, fuser=2)
    assert config.validate(toy_config) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("modl.fusion", "modl.fusion: unknown key 'modl'; did you mean 'model'?"),
        ("model.fusion.num_head", "unknown key 'num_head'; did you mean 'num_heads'?"),
        ("model.fusion.num_heads.x", "model.fusion.num_heads is a plain value, 2"),
        ("model.projector.dim", "unknown key 'projector'"),
        ("optim.clip_grad.max_norm", "optim.clip_grad is switched off (None)"),
        ("evaluation.metrics.1.beta2", "unknown key '1'; known: 0 (in evaluation.metrics)"),
        ("model.depths.5", "unknown key '5'"),
        ("sed", "unknown key 'sed'; did you mean 'seed'?"),
    ],
)
def test_paths_that_lead_nowhere(toy_config: Config, path: str, expected: str) -> None:
    before = copy.deepcopy(toy_config)
    with pytest.raises(ConfigError) as caught:
        set_node(toy_config, path, 1)
    assert expected in str(caught.value)
    assert toy_config.to_dict() == before.to_dict()


def test_parse_overrides_reports_every_bad_pair() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_overrides(["optim.epochs", "=3", "a=3"])
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "'optim.epochs'",
        "'=3'",
    ]


def _reordered(node: object) -> object:
    if isinstance(node, dict):
        return {key: _reordered(node[key]) for key in reversed(list(node))}
    if isinstance(node, (list, tuple)):
        return [_reordered(item) for item in node]
    return node


def test_hash_ignores_order_tuples_and_places_of_weights(toy_config_dict: dict) -> None:
    cfg = toy_config_dict
    cfg["model"]["backbone"] = dict(checkpoint="/a/tiny.pt")
    reference = config_hash(Config(cfg))
    assert len(reference) == 64
    assert config_hash(_reordered(cfg)) == reference
    moved = copy.deepcopy(cfg)
    moved["model"]["backbone"]["checkpoint"] = PurePosixPath("/b/tiny.pt")
    moved["optim"]["epochs"] = 2.0
    assert config_hash(moved) == reference


def test_hash_tells_weights_apart() -> None:
    hashes = {
        config_hash(dict(model=dict(checkpoint=checkpoint)))
        for checkpoint in ("/a/tiny.pt", "/a/small.pt", "builtin://mini", "other://mini", None)
    }
    assert len(hashes) == 5


def test_a_class_hashes_and_dumps_as_its_dotted_path(tmp_path: Path) -> None:
    assert config_hash(dict(type=Path)) == config_hash(dict(type="pathlib.Path"))
    dump(dict(type=PurePosixPath), tmp_path / "c.py")
    assert "PurePosixPath'" in (tmp_path / "c.py").read_text()


def test_dump_reads_back_the_same(toy_config: Config, tmp_path: Path) -> None:
    toy_config.data.test["with-dash"] = dict(type="ToyClips")
    toy_config.model.depths = (3,)
    path = tmp_path / "config.py"
    dump(toy_config, path)
    again = load(path)
    assert again.to_dict() == toy_config.to_dict()
    assert config_hash(again) == config_hash(toy_config)
    assert [p.name for p in tmp_path.iterdir()] == ["config.py"]


def test_names_and_find(shipped: Path) -> None:
    assert names() == ["auralsam2/toy_v1m", "grids/demo"]
    assert names("grids") == ["grids/demo"]
    assert find("auralsam2/toy_v1m") == shipped / "auralsam2" / "toy_v1m.py"
    assert find("demo", folder="grids") == find("grids/demo")
    assert find(shipped / "grids" / "demo.py") == (shipped / "grids" / "demo.py").resolve()


def test_a_config_on_another_base(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shipped / "auralsam2" / "big_v1m.py").write_text(
        "_base_ = '../_base_/toy.py'\noptim = dict(epochs=50)\nseed = 4\n"
    )
    (shipped / "methods").mkdir()
    (shipped / "methods" / "slow_v1m.py").write_text(
        "_base_ = [\n    '../auralsam2/big_v1m.py',\n]\n"
        "optim = dict(power=0.25, epochs=_base_.optim.epochs + 1)\n"
    )
    load_slow = partial(load, "methods/slow_v1m")
    big, toy = load_slow(), load_slow(base="auralsam2/toy_v1m")
    assert (big.seed, big.optim.epochs, big.optim.power) == (4, 51, 0.25)
    assert (toy.seed, toy.optim.epochs, toy.optim.power) == (0, 6, 0.25)
    assert config_hash(load_slow(base=shipped / "auralsam2" / "toy_v1m.py")) == config_hash(toy)
    pair = ("methods/slow_v1m", "auralsam2/toy_v1m")
    monkeypatch.setattr(config, "aliases", lambda: {"methods/slow_toy_v1m": pair})
    assert "methods/slow_toy_v1m" in names() and find("methods/slow_toy_v1m") == find(pair[0])
    for read in (load, config.peek):
        assert config_hash(read("methods/slow_toy_v1m")) == config_hash(toy)
    # A base may itself be such a pair; what cannot be read is told by the file's own name.
    (shipped / "methods" / "slower.py").write_text("_base_ = 'slow_v1m.py'\nseed = 7\n")
    slower = load("methods/slower", base="methods/slow_toy_v1m")
    assert (slower.seed, slower.optim.epochs, load("methods/slower").optim.epochs) == (7, 6, 51)
    (shipped / "methods" / "broken.py").write_text("_base_ = 'slow_v1m.py'\nseed = (\n")
    with pytest.raises(ConfigError, match=r"broken\.py: 1 problem\n  - SyntaxError"):
        load("methods/broken", base="auralsam2/toy_v1m")
    with pytest.raises(FileNotFoundError, match="did you mean 'auralsam2/toy_v1m'"):
        load_slow(base="auralsam2/toy_v1n")
    with pytest.raises(ConfigError, match="replaces the one config that a config inherits from"):
        load(shipped / "_base_" / "toy.py", base="auralsam2/toy_v1m")


def test_unknown_names_get_a_hint_and_the_list(shipped: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load("auralsam2/toy_v1")
    assert "unknown config 'auralsam2/toy_v1'; did you mean 'auralsam2/toy_v1m'?" in str(
        caught.value
    )
    assert "known: auralsam2/toy_v1m; a config of" in str(caught.value), "those of its folder"
    with pytest.raises(FileNotFoundError, match="known: auralsam2/toy_v1m, grids/demo; a config"):
        load("nowhere/toy")
    with pytest.raises(FileNotFoundError, match="no config file 'missing.py'"):
        find("missing.py")


def test_a_broken_file_is_a_config_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("seed = 1 / 0\n")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        load(path)
