"""Weight files into networks: wrappers come off, what matched is counted, nothing is silent."""

from __future__ import annotations

import inspect
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.models.backbones.hooked.backbone import HookedBackbone
from auralsam2.models.methods.eemc_mask2former import EEMCMask2Former
from auralsam2.models.pretrained_part import PretrainedPart
from auralsam2.models.text.pretrained import TowerText
from auralsam2.models.weights import read_state
from auralsam2.models.weights.loading import load_weights, loaded_weights
from auralsam2.registry import REGISTRIES, load_all

State = dict[str, Tensor]


def test_every_component_that_reads_weights_is_tested(tested_components: set[str]) -> None:
    load_all()
    found = set()
    for registry in REGISTRIES.values():
        for name, component in registry.module_dict.items():
            # Their files are named as transformers renames them: they have tests of their own.
            named_by_others = (PretrainedPart, HookedBackbone, TransformersEar, TowerText)
            named_by_others += (EEMCMask2Former,)
            if inspect.isclass(component) and issubclass(component, named_by_others):
                continue
            for argument in inspect.signature(component).parameters.values():
                named = argument.name.endswith(("weights", "checkpoint"))
                if named and "str" in str(argument.annotation):
                    found.add(f"{name}.{argument.name}")
    assert found == tested_components


def pickled(wrap: Callable[[State], Any]) -> Callable[[State], bytes]:
    def content(state: State) -> bytes:
        import io

        file = io.BytesIO()
        torch.save(wrap(state), file)
        return file.getvalue()

    return content


def prefixed(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + key: value for key, value in state.items()}


def inner(wrapper: str) -> Callable[[State], State]:
    """A wrapper around the parts of a network."""
    return lambda state: {
        ".".join([(parts := key.split("."))[0], wrapper, *parts[1:]]): value
        for key, value in state.items()
    }


FINE = {
    "plain": pickled(dict),
    "safetensors": lambda state: save({k: v.contiguous() for k, v in state.items()}),
    "module": pickled(prefixed("module.")),
    "model": pickled(prefixed("model.")),
    "compiled": pickled(prefixed("_orig_mod.")),
    "compiled and parallel": pickled(prefixed("module._orig_mod.")),
    "Lightning": pickled(lambda s: {"epoch": 3, "state_dict": prefixed("model.")(s)}),
    "nested": pickled(lambda s: {"state_dict": {"model": prefixed("state_dict.")(s)}, "ema": {}}),
    "half": pickled(lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()}),
}


@pytest.mark.parametrize("kind", FINE)
def test_a_file_is_read_whatever_is_wrapped_around(component: Any, kind: str) -> None:
    file = component.file
    if file.suffix == ".bin" and kind == "safetensors":  # transformers goes by the name
        file = file.with_name("model.safetensors")
    file.write_bytes(FINE[kind](component.state))
    model = component.build(file)
    own = component.network(model).state_dict()
    for key, value in component.state.items():
        if not key.startswith("fc."):
            given = value.half().float() if kind == "half" and value.is_floating_point() else value
            assert torch.equal(own[key.removeprefix("roberta.")], given), key
    (noted,) = loaded_weights(model)
    assert noted["file"] == file.name
    assert noted["matched"] == sum(not key.startswith("fc.") for key in component.state)
    assert noted["missing"] == noted["unexpected"] == noted["misshapen"] == 0


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0a1b\nsize 898083611\n"
BROKEN: dict[str, tuple[Callable[[State], bytes], str]] = {
    "empty": (lambda _: b"", "an empty file"),
    "lfs": (lambda _: LFS, "git lfs pull"),
    "page": (lambda _: b"\n<!DOCTYPE html><html><title>404</title></html>", "an HTML page"),
    "xml": (lambda _: b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML text"),
    "zeros": (lambda _: bytes(5000), "zeros only"),
    "text": (lambda _: b"Not Found, not found, not found", "cannot read"),
    "greeting": (lambda _: b"hello", "another kind of file): KeyError"),
    "cut": (lambda s: FINE["plain"](s)[:-400], "cut short"),
    "cut safetensors": (lambda s: FINE["safetensors"](s)[:-40], "cut short or another"),
    "cut header": (lambda s: FINE["safetensors"](s)[:20], "cut short or another"),
    "list": (pickled(lambda s: list(s.values())), "but a list"),
    "no tensors": (pickled(lambda _: {"epoch": 3}), "holds no state dict of tensors; it has"),
    "no entries": (pickled(lambda _: {}), "no tensor at all"),
    "code": (pickled(lambda s: {"model": nn.Linear(1, 1)}), "could run code"),
    "pickle": (lambda _: pickle.dumps({"a": [1]}, 2), "cannot read"),
    "other": (pickled(lambda _: {"a.b": torch.ones(1)}), "0 matched"),
    "foreign prefix": (pickled(prefixed("student.")), "'student."),
    "other shapes": (pickled(lambda s: dict.fromkeys(s, torch.ones(7, 7, 7))), "(7, 7, 7)"),
    "half of it": (
        pickled(lambda s: dict(list(s.items())[: len(s) // 2])),
        "missing (",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_does_not_fit_is_named_for_what_it_is(component: Any, kind: str) -> None:
    content, words = BROKEN[kind]
    component.file.write_bytes(content(component.state))
    with pytest.raises(ValueError) as caught:
        component.build(component.file)
    told = str(caught.value)
    assert "?." not in told and words in told and component.file.parent.name in told
    assert "weights_only" not in told and "allow_partial" not in told or kind == "half of it"


def test_a_file_that_is_not_there_is_named(component: Any, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        component.build(component.file)


@pytest.mark.parametrize("component", ["ResNetStages.weights"], indirect=True)
def test_published_resnets_lack_counters_of_batches(component: Any) -> None:
    state = {k: v for k, v in component.state.items() if not k.endswith("num_batches_tracked")}
    assert len(state) < len(component.state)
    torch.save(state, component.file)
    (noted,) = loaded_weights(component.build(component.file))
    assert (noted["matched"], noted["missing"]) == (len(state) - 1, 0)


@pytest.mark.parametrize("kind", ["other", "foreign prefix", "other shapes"])
@pytest.mark.parametrize("component", ["SAM2Backbone.checkpoint"], indirect=True)
def test_nothing_matched_is_never_partial(component: Any, kind: str) -> None:
    component.file.write_bytes(BROKEN[kind][0](component.state))
    with pytest.raises(ValueError, match="nothing in '.*' fits SAM2"):
        component.build(component.file, allow_partial=True)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


def test_partial_load_is_an_error_that_reports_everything(tmp_path: Path) -> None:
    state = network().state_dict()
    state["0.weight"] = torch.zeros(5, 5)
    state["extra"] = torch.zeros(1)
    del state["1.bias"]
    path = tmp_path / "weights.pt"
    torch.save(state, path)
    target = network()
    before = {k: v.clone() for k, v in target.state_dict().items()}
    with pytest.raises(ValueError) as caught:
        load_weights(target, path, hint="Always", partial_hint="Set allow_partial")
    for part in (
        *("2 matched", "1 missing (1.bias)", "1 unexpected (extra)", "(5, 5), (2, 3)"),
        *("Always", "Set allow_partial"),
    ):
        assert part in str(caught.value)
    assert all(torch.equal(before[k], v) for k, v in target.state_dict().items())
    assert loaded_weights(target) == []
    report = load_weights(target, path, allow_partial=True)
    assert report.matched == ("0.bias", "1.weight")
    assert torch.equal(target[1].weight, state["1.weight"])
    (noted,) = loaded_weights(target)
    assert noted == {
        **dict(part="Sequential", file="weights.pt"),
        **dict(matched=2, missing=1, unexpected=1, misshapen=1),
        "examples": {
            "missing": ["1.bias"],
            "unexpected": ["extra"],
            "misshapen": ["0.weight: (5, 5), (2, 3)"],
        },
    }


def test_names_that_become_one_are_refused(tmp_path: Path) -> None:
    state = network().state_dict()
    path = tmp_path / "weights.pt"
    torch.save(prefixed("module.")(state) | prefixed("model.")(state), path)
    with pytest.raises(ValueError, match="are the same name under wrappers; save one"):
        load_weights(network(), path)


def test_types_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    for name, content in (("a.pt", FINE["plain"]), ("a.safetensors", FINE["safetensors"])):
        (tmp_path / name).write_bytes(
            content({"x": torch.ones(2).half(), "n": torch.ones(1).int()})
        )
        kept = {k: v.dtype for k, v in read_state(tmp_path / name, keep_dtype=True).items()}
        assert kept == {"x": torch.float16, "n": torch.int32}
        wide = {k: v.dtype for k, v in read_state(tmp_path / name).items()}
        assert wide == {"x": torch.float32, "n": torch.int32}
