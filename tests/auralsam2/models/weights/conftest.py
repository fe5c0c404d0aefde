"""Every component that reads weights, small, and the file that fits it."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

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

    def build_sam2(*_: Any) -> nn.Module:
        network: Any = _small()
        network.hidden_dim, network.image_size, network.embedding_size = 8, 64, 4
        return network

    patch.setattr(sam2_build, "build_sam2", build_sam2)
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


def _resnet(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    from auralsam2.models.image.resnet import ResNetStages

    state = ResNetStages("resnet18", 4).network.state_dict() | {"fc.weight": torch.ones(2, 2)}
    build = lambda path: ResNetStages("resnet18", 4, path)  # noqa: E731
    return Component(build, state, folder / "resnet.pth", lambda m: m.network)


def _pvt(folder: Path, patch: pytest.MonkeyPatch) -> Component:
    pytest.importorskip("transformers", reason="needs transformers")
    from auralsam2.models.image.pvt_v2 import PVTv2Stages

    sizes = dict(widths=(2, 4, 10, 16), depths=(1, 1, 1, 1))
    state = PVTv2Stages(**sizes).network.state_dict()
    build = lambda path: PVTv2Stages(**sizes, weights=path)  # noqa: E731
    return Component(build, state, folder / "pvt.pth", lambda m: m.network)


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
    from auralsam2.models.text.pretrained import RobertaText

    words, state = _text_folder()
    shutil.copytree(words, folder, dirs_exist_ok=True)
    file = folder / "pytorch_model.bin"
    return Component(lambda _: RobertaText(folder), state, file, lambda m: m.network)


COMPONENTS = {
    "SAM2Backbone.checkpoint": _sam2,
    "VGGish.weights": _vggish,
    "LogMelCNN.weights": _log_mel,
    "ResNetStages.weights": _resnet,
    "PVTv2Stages.weights": _pvt,
    "RobertaText.weights": _roberta,
}


@pytest.fixture(params=COMPONENTS)
def component(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Component:
    return COMPONENTS[request.param](tmp_path, monkeypatch)


@pytest.fixture
def tested_components() -> set[str]:
    return set(COMPONENTS)
