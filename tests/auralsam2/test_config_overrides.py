"""What is written behind the ``=`` of an override, for all keys and all components."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from auralsam2 import config
from auralsam2.config import ConfigError, parse_overrides, set_node
from auralsam2.config_overrides import Written
from auralsam2.config_schema import SCHEMA, Section, Value
from auralsam2.registry import REGISTRIES, Registry, load_all
from auralsam2.signature import parameters_of
from auralsam2.weight_files import FILE_KEYS

NASTY = (
    *("/data/Smith, John (1)/AVS", "0123", "1e5", "True", "a=b", " x ", "'quoted'", '"', "[", "(a"),
    *("1_000", "{}", "a,b", "dict(type='X')", "...", "nan", "-1", "é—", "C:\\new", "", "# x", "\\"),
)


def put(cfg: Any, pair: str) -> None:
    ((key, value),) = parse_overrides([pair]).items()
    set_node(cfg, key, value)


def at(cfg: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        cfg = cfg[int(key)] if isinstance(cfg, (list, tuple)) else cfg[key]
    return cfg


def texts_of_the_schema(section: Section, path: str = "") -> Iterator[str]:
    for key, spec in section.keys.items():
        if isinstance(spec, Section):
            yield from texts_of_the_schema(spec, f"{path}{key}.")
        elif isinstance(spec, Value) and spec.kinds == (str,):
            yield f"{path}{key}"


def own_components() -> Iterator[tuple[Registry, str, Callable[..., Any]]]:
    load_all()
    for registry in REGISTRIES.values():
        for name in registry.names():
            target = registry.lookup(name)
            if target.__module__.startswith("auralsam2."):
                yield registry, name, target


def hints(target: Any) -> Mapping[str, Any]:
    """Annotations as Python itself reads them, of all classes whose arguments it takes."""
    found: dict[str, Any] = {}
    for parent in getattr(target, "__mro__", (target,)):
        init = vars(parent).get("__init__") if isinstance(parent, type) else parent
        if getattr(init, "__annotations__", None):
            module = __import__(init.__module__, fromlist=["x"])
            names = {**typing.__dict__, **vars(__import__("collections.abc").abc), **vars(module)}
            found = {**_evaluated(init.__annotations__, names), **found}
    return found


def _evaluated(annotations: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in annotations.items():
        try:
            found[key] = eval(value, names) if isinstance(value, str) else value
        except NameError:  # of a type that is only imported for its name
            continue
    return found


def members(hint: Any) -> set[Any]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return set(typing.get_args(hint)) if is_union else {hint}


def is_text(hint: Any) -> bool:
    """Whether nothing but one text, a path, or None fits."""
    paths = (str, Path, os.PathLike[str], type(None))
    return bool(members(hint) & {str}) and all(member in paths for member in members(hint))


def test_texts_of_the_schema_are_taken_as_they_are(toy_config: Config) -> None:
    keys = list(texts_of_the_schema(SCHEMA))
    assert {"data.root", "runtime.work_dir", "runtime.device"} <= set(keys)
    for key in keys:
        for text in NASTY:
            put(toy_config, f"{key}={text}")
            assert at(toy_config, key) == text, key


def test_every_argument_that_wants_text_gets_it() -> None:
    """Of the component that another override of the same call has named."""
    seen = 0
    for registry, name, target in own_components():
        stated = hints(target)
        for argument in parameters_of(target).known:
            hint = stated.get(argument)
            if hint is None or not is_text(hint):
                continue
            seen += 1
            for cfg, path in homes(registry):
                put(cfg, f"{path}={name}")
                for text in NASTY:
                    put(cfg, f"{path}.{argument}={text}")
                    assert at(cfg, path)[argument] == text, (name, argument)
                optional = type(None) in members(hint)
                put(cfg, f"{path}.{argument}=None")
                assert at(cfg, path)[argument] == (None if optional else "None"), (name, argument)
    assert seen > 60


def homes(registry: Registry) -> Iterator[tuple[Config, str]]:
    """Configs with a place for a component of a registry, and that place."""
    node: dict[str, Any] = {"type": "x"}
    places = {
        "model": ("model",),
        "dataset": ("data.train", "data.test.test", "data.test.test.dataset"),
        "metric": ("evaluation.metrics.0",),
        "hook": ("runtime.hooks.0",),
        "optimizer": ("optim.optimizer",),
        "transform": ("data.train.transforms.0",),
    }
    for place in places.get(registry.config_key, (f"model.{registry.config_key}",)):
        cfg: dict[str, Any] = dict(model=dict(type="AuralSAM2", **{registry.config_key: node}))
        transforms = dict(type="AVSBenchDataset", transforms=[node])
        control = dict(type="AudioSilence", dataset=node)
        cfg["data"] = dict(train=transforms, test=dict(test=control))
        cfg |= dict(evaluation=dict(metrics=[node]), runtime=dict(hooks=[node]))
        cfg["optim"] = dict(optimizer=node)
        yield Config(cfg), place


def test_files_of_weights_are_texts_to_every_component() -> None:
    """So that a missing file can be told before the component is imported."""
    for _, name, target in own_components():
        stated = hints(target)
        for key in FILE_KEYS:
            if key in parameters_of(target).known:
                assert is_text(stated[key]), (name, key)


def test_lists_of_texts_are_taken_apart_at_commas_alone() -> None:
    seen = 0
    for registry, name, target in own_components():
        for argument, hint in hints(target).items():
            several = {m for m in members(hint) if getattr(m, "__args__", ()) == (str,)}
            if argument not in parameters_of(target).known or not several - {os.PathLike[str]}:
                continue
            seen += 1
            cfg, path = next(homes(registry))
            put(cfg, f"{path}={name}")
            put(cfg, f"{path}.{argument}=[0123, my file,1e5]")
            assert list(at(cfg, path)[argument]) == ["0123", "my file", "1e5"], (name, argument)
            put(cfg, f"{path}.{argument}=('a, b', 'c')")
            assert list(at(cfg, path)[argument]) == ["a, b", "c"], (name, argument)
            put(cfg, f"{path}.{argument}=()")
            assert list(at(cfg, path)[argument]) == []
            alone = "v1m" if str in members(hint) else ["v1m"]
            put(cfg, f"{path}.{argument}=v1m")
            assert at(cfg, path)[argument] == alone, (name, argument)
    assert seen > 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True),
        ("false", False),
        ("bfloat16", "bfloat16"),
        ("None", None),
        ("7", 7),
        ("0123", "0123"),
        ("1.5", "1.5"),
        (" float16", " float16"),
    ],
)
def test_where_several_kinds_are_wanted_a_literal_wins(text: str, value: object) -> None:
    read = Written(text).read({"str", "bool", "int", "None"})
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        (" 1e-1", 0.1),
        ("(1, 2)", (1, 2)),
        ("false", False),
        ("x,y", ["x", "y"]),
        ("[x,y]", ["x", "y"]),
        ("[a.py, b-c.py]", ["a.py", "b-c.py"]),
        ("[own file.py,b]", ["own file.py", "b"]),
        ("dict(type=SumFusion, folder=data/x-1)", dict(type="SumFusion", folder="data/x-1")),
        ("{'a': [1], 'b': dict(c=None)}", {"a": [1], "b": {"c": None}}),
        ("[dict(type='A', b=(1, 2)), dict(type='B')]", [dict(type="A", b=(1, 2)), dict(type="B")]),
        ("...", "..."),
        ("b'x'", "b'x'"),
        ("f(x)", "f(x)"),
    ],
)
def test_values_of_which_nothing_is_known(toy_config: Config, text: str, value: object) -> None:
    put(toy_config, f"model.fusion.inner={text}")
    assert toy_config.model.fusion.inner == value
    assert isinstance(toy_config.model.fusion.inner, type(value))


@pytest.mark.parametrize("text", ["(1,[2", "[a)b]", "{type: X", "dict(type=X, weights=007)"])
def test_what_cannot_be_read_names_its_key(toy_config: Config, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        put(toy_config, f"model.fusion.inner={text}")
    assert caught.value.problems[0].startswith(f"model.fusion.inner={text}: ")


def test_texts_in_a_dict_keep_their_quotes_off(toy_config: Config) -> None:
    put(toy_config, 'model.fusion={"type": "SumFusion", "inner": "0123, (x)"}')
    assert toy_config.model.fusion == dict(type="SumFusion", inner="0123, (x)")


def test_of_one_key_the_last_counts_in_its_last_place(toy_config: Config) -> None:
    pairs = ["model.fusion=SumFusion", "model.fusion.num_heads=8", "model.fusion=GateFusion"]
    for key, value in parse_overrides(pairs).items():
        if key.endswith("num_heads"):
            continue
        set_node(toy_config, key, value)
    assert list(parse_overrides(pairs)) == ["model.fusion.num_heads", "model.fusion"]
    assert toy_config.model.fusion == dict(type="GateFusion")


def test_a_missing_file_is_seen_where_its_name_looks_like_a_number(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("model = dict(type='X', audio_encoder=dict(type='Y'))\ndata = dict(root='r')\n")
    pairs = ["model.audio_encoder.weights=0123", "data.root= a, b", "optim.epochs=["]
    cfg = config.peek(str(path), parse_overrides(pairs))
    assert cfg.model.audio_encoder.weights == "0123" and cfg.data.root == " a, b"
