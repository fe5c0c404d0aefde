"""Which keys count: every key of the schema and every argument of every component is tried."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from auralsam2 import config, registry
from auralsam2.config_identity import UNSTATED, differences
from auralsam2.config_schema import SCHEMA, Node, Nodes, Section
from auralsam2.registry import REGISTRIES, Registry
from auralsam2.signature import parameters_of

# The one list of what may not count. A key that is to stand here too needs a reason, in
# `auralsam2.config_identity`.
MAY_NOT_COUNT = {
    "data.root",
    "data.*.root",
    "data.num_workers",
    "data.keep_decoded",
    "data.*.keep_decoded",
    "data.*.log_mel_cache",
    "model.gradient_checkpointing",
    "runtime.work_dir",
    "runtime.log_every",
    "runtime.tensorboard",
    "runtime.trackers",
    "runtime.checkpoint_every",
    "runtime.device",
    "runtime.num_threads",
    "runtime.compile",
    "runtime.channels_last",
    "custom_imports.imports",
}


def test_everything_counts_except_one_explicit_list() -> None:
    registry.load_all()
    base = config.load("auralsam2/mini_v1m").to_dict()
    uncounted, tried = set(), 0
    for path, one, other in _mutations(SCHEMA, ""):
        changed = [copy.deepcopy(base) for _ in range(2)]
        for cfg, value in zip(changed, (one, other), strict=True):
            _put(cfg, path, value)
        tried += 1
        if config.config_hash(changed[0]) == config.config_hash(changed[1]):
            uncounted.add(_argument(path, one, other))
    assert tried > 300
    unlisted = {key for key in uncounted if not _listed(key)}
    assert unlisted == set()
    unused = {p for p in MAY_NOT_COUNT if not any(_matches(key, p) for key in uncounted)}
    assert unused == set()


def test_every_exception_has_its_reason() -> None:
    from auralsam2.config_identity import MAY_NOT_COUNT as REASONS

    assert set(REASONS) == MAY_NOT_COUNT
    assert all(len(reason) > 10 for reason in REASONS.values())


def test_a_key_that_may_be_absent_has_a_value_that_says_the_same() -> None:
    registry.load_all()
    base = config.load("auralsam2/mini_v1m")
    optional = set(_optional(SCHEMA, ""))
    never_said = {"custom_imports", "start.weights", "start.checkpoint"}  # absent means none
    assert set(UNSTATED) | never_said == optional
    for path, value in UNSTATED.items():
        if path.startswith("custom_imports."):
            base["custom_imports"] = dict(imports=[])
        absent, stated = base.to_dict(), base.to_dict()
        for cfg in (absent, stated):
            _put(cfg, path, None)
        _put(stated, path, value)
        del _section(absent, path)[path.rpartition(".")[2]]
        assert config.validate(stated) == [], path
        assert config.config_hash(stated) == config.config_hash(absent), path
        assert differences(stated, absent) == []


def test_every_argument_that_names_a_file_counts_by_its_content(tmp_path: Path) -> None:
    from auralsam2.engine.identity import file_digests

    registry.load_all()
    file = tmp_path / "boxes.json"
    file.write_text("{}")
    nodes = {
        f"{key}_{number}": node
        for key, held in REGISTRIES.items()
        for number, (node, _) in enumerate(_components(held, str(file), ""))
    }
    named = {f"model.{key}.{arg}" for key, node in nodes.items() for arg in node if arg != "type"}
    assert len(named) > 200
    assert file_digests({"model": nodes}).keys() == named
    before = file_digests({"model": nodes})
    file.write_text('{"other": 1}')
    assert not set(before.values()) & set(file_digests({"model": nodes}).values())


def test_differences_are_named_by_key(toy_config_dict: dict[str, Any]) -> None:
    other = copy.deepcopy(toy_config_dict)
    other["runtime"]["work_dir"] = "elsewhere"
    assert differences(toy_config_dict, other) == []
    other["optim"]["optimizer"]["lr"] = 0.05
    other["runtime"]["hooks"] = [dict(type="EMAHook")]
    del other["data"]["image_size"]
    assert [str(difference) for difference in differences(toy_config_dict, other)] == [
        "data.image_size: 64 there, absent now",
        "optim.optimizer.lr: 0.0001 there, 0.05 now",
        "runtime.hooks.0.type: absent there, 'EMAHook' now",
    ]


def _mutations(spec: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Every key that the schema knows, with two values that differ."""
    if isinstance(spec, Section):
        for key, child in spec.keys.items():
            yield from _mutations(child, f"{path}.{key}" if path else key)
    elif isinstance(spec, (Node, Nodes)):
        for key in (path, *_parts(spec.registry, path)):
            held = spec.registry if key == path else REGISTRIES[key.rpartition(".")[2]]
            for one, other in _components(held, "one", "other"):
                if not isinstance(spec, Nodes) or key != path:
                    yield key, one, other
                elif spec.container is list:
                    yield key, [one], [other]
                else:
                    yield key, {"test": one}, {"test": other}
    else:
        yield path, ["one"], ["other"]


def _parts(held: Registry, path: str) -> list[str]:
    """Where parts that a node may hold stand: those of the model, and transforms of a data set."""
    inside = [key for key in REGISTRIES if key not in ("model", "hook", "metric", "optimizer")]
    return [f"{path}.{key}" for key in inside] if held.config_key == "model" else []


def _components(held: Registry, one: str, other: str) -> Iterator[tuple[Any, Any]]:
    """Nodes of every registered component, for each of its arguments a pair that differs in it."""
    held.names()
    for name, target in held._known().items():
        for argument in parameters_of(target).known:
            yield {"type": name, argument: one}, {"type": name, argument: other}


def _optional(spec: Section, path: str) -> Iterator[str]:
    for key, child in spec.keys.items():
        inner = f"{path}.{key}" if path else key
        if key in spec.may_miss:
            yield inner
        if isinstance(child, Section):
            yield from _optional(child, inner)


def _section(cfg: Any, path: str) -> Any:
    for key in path.split(".")[:-1]:
        cfg = cfg.setdefault(key, {})
    return cfg


def _put(cfg: Any, path: str, value: Any) -> None:
    _section(cfg, path)[path.rpartition(".")[2]] = value


def _argument(path: str, one: Any, other: Any) -> str:
    """The dotted key in which two values differ."""
    while isinstance(one, (dict, list)) and one != ["one"]:
        items = one.items() if isinstance(one, dict) else enumerate(one)
        key = next(key for key, item in items if item != other[key])
        path, one, other = f"{path}.{key}", one[key], other[key]
    return path


def _listed(key: str) -> bool:
    return any(_matches(key, pattern) for pattern in MAY_NOT_COUNT)


def _matches(key: str, pattern: str) -> bool:
    return fnmatchcase(key, pattern) or fnmatchcase(key, f"{pattern}.*")
