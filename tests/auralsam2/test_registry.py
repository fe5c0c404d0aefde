from __future__ import annotations

import sys
from importlib import import_module

import pytest

from auralsam2.registry import (
    METRICS,
    OPTIMIZERS,
    REGISTRIES,
    ComponentArgumentError,
    Registry,
    UnknownComponentError,
    load_all,
)


@pytest.fixture
def toys() -> Registry:
    registry = Registry("toy", contract="none")

    @registry.register_module()
    class CrossAttentionFusion:
        def __init__(self, channels: int, num_heads: int = 4) -> None:
            self.channels, self.num_heads = channels, num_heads

    @registry.register_module()
    class GatedFusion(CrossAttentionFusion):
        def __init__(self, gate: float = 0.5, **kwargs: int) -> None:
            super().__init__(**kwargs)
            self.gate = gate

    return registry


def test_build_none_is_off(toys: Registry) -> None:
    assert toys.build(None, channels=8) is None


def test_defaults_fill_only_what_the_class_accepts_and_the_node_leaves_open(
    toys: Registry,
) -> None:
    part = toys.build(dict(type="CrossAttentionFusion"), channels=8, embedding_size=4)
    assert (part.channels, part.num_heads) == (8, 4)
    part = toys.build(dict(type="CrossAttentionFusion", channels=2), channels=8)
    assert part.channels == 2


def test_defaults_reach_the_parent_through_kwargs(toys: Registry) -> None:
    part = toys.build(dict(type="GatedFusion", num_heads=2), channels=8, embedding_size=4)
    assert (part.channels, part.num_heads, part.gate) == (8, 2, 0.5)


def test_the_node_is_left_as_it_was(toys: Registry) -> None:
    node = dict(type="CrossAttentionFusion")
    toys.build(node, channels=8)
    assert node == dict(type="CrossAttentionFusion")


def test_type_may_be_a_class_or_carry_the_scope(toys: Registry) -> None:
    cls = toys.lookup("CrossAttentionFusion")
    assert toys.lookup(cls) is cls
    assert toys.lookup("auralsam2.CrossAttentionFusion") is cls
    assert type(toys.build(dict(type=cls, channels=1))) is cls


def test_unknown_name_gives_the_nearest_and_all_known(toys: Registry) -> None:
    with pytest.raises(UnknownComponentError) as caught:
        toys.build(dict(type="CrossAtention"))
    assert str(caught.value) == (
        "unknown toy 'CrossAtention'; did you mean 'CrossAttentionFusion'? "
        "known: CrossAttentionFusion, GatedFusion"
    )
    assert isinstance(caught.value, KeyError)


@pytest.mark.parametrize("name", ["json", "os.path.no_such_function", "no_such_package.Thing"])
def test_modules_and_broken_paths_are_no_components(toys: Registry, name: str) -> None:
    with pytest.raises(UnknownComponentError, match="known: CrossAttentionFusion, GatedFusion"):
        toys.lookup(name)


def test_all_bad_arguments_are_reported_at_once(toys: Registry) -> None:
    with pytest.raises(ComponentArgumentError) as caught:
        toys.build(dict(type="CrossAttentionFusion", num_head=2, droput=0.1))
    message = str(caught.value)
    assert "unknown argument 'num_head'; did you mean 'num_heads'?" in message
    assert "unknown argument 'droput'" in message
    assert "misses its argument 'channels'" in message


@pytest.mark.parametrize("node", ["CrossAttentionFusion", dict(num_heads=2), 3])
def test_a_node_is_a_dict_with_a_type(toys: Registry, node: object) -> None:
    with pytest.raises(ComponentArgumentError, match="a dict with the key 'type'"):
        toys.build(node)  # type: ignore[arg-type]


def test_locations_are_imported_at_the_first_look_up(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module, and with a star all modules of a package: a component is one new file."""
    files = {
        "lazy_toys.py": "",
        "empty_toys/__init__.py": "",
        "starred_toys/__init__.py": "from auralsam2.registry import Registry\n"
        "TOYS = Registry('toy', locations=['lazy_toys', 'empty_toys.*', 'starred_toys.*'])\n",
        "starred_toys/gated.py": "from starred_toys import TOYS\n"
        "@TOYS.register_module()\nclass Gated:\n    '''A gate.'''\n",
        "starred_toys/plain.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    toys = import_module("starred_toys").TOYS
    late = ("lazy_toys", "empty_toys", "starred_toys.gated", "starred_toys.plain")
    assert not any(name in sys.modules for name in late)
    with pytest.raises(UnknownComponentError, match="known: Gated"):
        toys.lookup("Missing")
    assert all(name in sys.modules for name in late)
    assert toys.names() == ["Gated"]
    for name in ("starred_toys", *late):
        monkeypatch.delitem(sys.modules, name)


def test_every_registry_has_a_contract_and_its_own_config_key() -> None:
    assert len(REGISTRIES) >= 20
    for key, registry in REGISTRIES.items():
        assert registry.config_key == key and " " not in key
        assert len(registry.contract) > 20, key
        if registry.parent is not None:
            below = registry.parent.children["auralsam2"]
            assert (below.module_dict, below.name) == (registry.module_dict, registry.name)


def test_load_all_finds_components_of_every_axis() -> None:
    load_all()
    borrowed = {"data_sampler", "optimizer"}  # mmengine's own serve
    empty = [key for key, registry in REGISTRIES.items() if not registry.module_dict]
    assert set(empty) <= borrowed


def test_every_registered_component_is_documented() -> None:
    load_all()
    bare = [
        f"{key}: {name}"
        for key, registry in REGISTRIES.items()
        for name, component in registry.module_dict.items()
        if component.__module__.startswith("auralsam2.") and not (component.__doc__ or "").strip()
    ]
    assert bare == []


def test_optimizers_are_torchs() -> None:
    assert OPTIMIZERS.lookup("AdamW").__module__.startswith("torch.optim")
    with pytest.raises(UnknownComponentError, match="did you mean 'AdamW'"):
        OPTIMIZERS.lookup("AdamWW")


def test_runner_finds_components_by_bare_name_without_warnings(caplog) -> None:
    import mmengine.registry as roots
    from mmengine.registry import DefaultScope

    for root in (roots.RUNNERS, roots.LOOPS, roots.OPTIM_WRAPPERS, roots.PARAM_SCHEDULERS):
        assert root.children["auralsam2"].scope == "auralsam2"
    with DefaultScope.overwrite_default_scope("auralsam2"):
        metric = METRICS.names()[0]
        with roots.METRICS.switch_scope_and_registry(None) as registry:
            assert registry.get(metric) is METRICS.lookup(metric)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
