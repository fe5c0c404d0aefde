"""Weight files into networks: wrappers come off, what matched is counted, nothing is silent."""

from __future__ import annotations

import atexit
import inspect
import pickle
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from auralsam2.models.weights import read_state
from auralsam2.models.weights.loading import load_weights, loaded_weights
from auralsam2.registry import REGISTRIES, load_all

State = dict[str, Tensor]


class Component(NamedTuple):
    """A registered component that reads weights.

    Attributes:
        build: from the path of a file, with further arguments.
        state: what its file holds.
        file: where the file must lie.
        network: part that the file is of.
    """

    build: Callable[..., nn.Module]
    state: State
    file: Path
    network: Callable[[nn.Module], nn.Module]


def _small(*_: Any, **__: Any) -> nn.Module:
    """Parts under the names of VGGish and SAM2, without their millions of numbers."""
    names = ("features", "embeddings", "image_encoder")
    return nn.ModuleDict({name: nn.Sequential(nn.Linear(2, 2)) for name in names})


def _sam2(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    from auralsam2.models.backbones.sam2 import build as sam2_build
    from auralsam2.models.backbones.sam2_backbone import SAM2Backbone

    patch.setattr(sam2_build, "build_sam2", _small)
    build = lambda path, **more: SAM2Backbone(checkpoint=str(path), **more)  # noqa: E731
    return Component(build, _small().state_dict(), folder / "sam2.pt", lambda m: m.network)


def _vggish(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    from torchvggish import torchvggish

    from auralsam2.models.audio.vggish import VGGish

    patch.setattr(torchvggish, "VGG", _small)
    return Component(VGGish, _small().state_dict(), folder / "vggish.pth", lambda m: m.network)


def _log_mel(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    from auralsam2.models.audio.log_mel_cnn import LogMelCNN

    build = lambda path: LogMelCNN(out_channels=16, width=8, weights=str(path))  # noqa: E731
    state = LogMelCNN(out_channels=16, width=8).state_dict()
    return Component(build, state, folder / "cnn.safetensors", lambda m: m)


@cache
def _resnet_state() -> State:
    from auralsam2.models.methods.resnet_stages import ResNetStages

    return ResNetStages("resnet18", 4).network.state_dict()


def _tpavi(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    from auralsam2.models.methods.tpavi_network import TPAVINetwork

    nodes = dict(
        audio_encoder=dict(type="LogMelCNN", width=8, out_channels=16),
        mask_loss=dict(type="BinaryMaskLoss"),
        fusion=dict(type="TPAVIFusion"),
        resnet="resnet18",
        resnet_width=4,
        channels=16,
    )
    state = _resnet_state() | {"fc.weight": torch.ones(2, 2)}
    build = lambda path: TPAVINetwork(**nodes, resnet_weights=path)  # noqa: E731
    return Component(build, state, folder / "resnet.pth", lambda m: m.resnet.network)


@cache
def _text_folder() -> tuple[str, State]:
    """A folder without weights, and these."""
    import transformers
    from tokenizers import Tokenizer, models

    folder = mkdtemp()
    atexit.register(shutil.rmtree, folder)
    sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    config = transformers.RobertaConfig(vocab_size=4, max_position_embeddings=40, **sizes)
    model = transformers.RobertaModel(config, add_pooling_layer=False)
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate("abcd")}, "a"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="b").save_pretrained(
        folder
    )
    Path(folder, "model.safetensors").unlink()
    return folder, {f"roberta.{k}": v for k, v in model.state_dict().items()}


def _roberta(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    pytest.importorskip("transformers", reason="needs the extra [text]")
    from auralsam2.models.text.roberta import RobertaText

    words, state = _text_folder()
    shutil.copytree(words, folder, dirs_exist_ok=True)
    file = folder / "pytorch_model.bin"
    return Component(lambda _: RobertaText(folder), state, file, lambda m: m.network)


COMPONENTS = {
    "SAM2Backbone.checkpoint": _sam2,
    "VGGish.weights": _vggish,
    "LogMelCNN.weights": _log_mel,
    "TPAVINetwork.resnet_weights": _tpavi,
    "RobertaText.weights": _roberta,
}


@pytest.fixture(params=COMPONENTS)
def component(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Component:
    return COMPONENTS[request.param](tmp_path, monkeypatch)


def test_every_component_that_reads_weights_is_tested() -> None:
    load_all()
    found = set()
    for registry in REGISTRIES.values():
        for name, component in registry.module_dict.items():
            for argument in inspect.signature(component).parameters.values():
                named = argument.name.endswith(("weights", "checkpoint"))
                if named and "str" in str(argument.annotation):
                    found.add(f"{name}.{argument.name}")
    assert found == COMPONENTS.keys()


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
def test_a_file_is_read_whatever_is_wrapped_around(component: Component, kind: str) -> None:
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
    "cut": (lambda s: FINE["plain"](s)[:-400], "cut short"),
    "cut safetensors": (lambda s: FINE["safetensors"](s)[:-40], "cut short: "),
    "cut header": (lambda s: FINE["safetensors"](s)[:20], "cut short: "),
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
def test_a_file_that_does_not_fit_is_named_for_what_it_is(component: Component, kind: str) -> None:
    content, words = BROKEN[kind]
    component.file.write_bytes(content(component.state))
    with pytest.raises(ValueError) as caught:
        component.build(component.file)
    told = str(caught.value)
    assert "?." not in told and words in told and component.file.parent.name in told
    assert "weights_only" not in told and "allow_partial" not in told or kind == "half of it"


def test_a_file_that_is_not_there_is_named(component: Component, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        component.build(component.file)


def test_published_resnets_lack_counters_of_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resnet = _tpavi(tmp_path, monkeypatch)
    state = {k: v for k, v in resnet.state.items() if not k.endswith("num_batches_tracked")}
    assert len(state) < len(resnet.state)
    torch.save(state, resnet.file)
    (noted,) = loaded_weights(resnet.build(resnet.file))
    assert (noted["matched"], noted["missing"]) == (len(state) - 1, 0)


@pytest.mark.parametrize("kind", ["other", "foreign prefix", "other shapes"])
def test_nothing_matched_is_never_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sam2 = _sam2(tmp_path, monkeypatch)
    sam2.file.write_bytes(BROKEN[kind][0](sam2.state))
    with pytest.raises(ValueError, match="nothing in '.*' fits SAM2"):
        sam2.build(sam2.file, allow_partial=True)


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
