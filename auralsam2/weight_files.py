"""Pretrained weights that a user brings: what they are called, where they are published.

Imports neither torch nor any component, so that a missing file is told before a second is over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

BUILTIN = "builtin://"
"""Prefix of weights that come with the package."""

FILE_KEYS = ("checkpoint", "weights")
"""Arguments of components that hold the path of a weight file."""

SAM2_SOURCE = "https://github.com/facebookresearch/sam2#sam-2-checkpoints"
VGGISH_SOURCE = "https://github.com/harritaylor/torchvggish/releases/tag/v0.1"
VGGISH_FILE = "vggish-10086976.pth"

RESNET_SOURCE = "https://download.pytorch.org/models/resnet50-0676ba61.pth"
PVT_SOURCE = "https://github.com/whai362/PVT/releases/tag/v2"

TEXT_MODEL = "distilroberta-base"
MASK2FORMER_MODEL = "mask2former-swin-base-ade-semantic"
GROUNDING_DINO = "grounding-dino-base"
CLAP = "clap-htsat-unfused"
AST = "ast-finetuned-audioset-10-10-0.4593"
WHISPER = "whisper-base"
WAVLM = "wavlm-base-plus"
HUBERT = "hubert-base-ls960"
PE_AUDIO = "pe-av-large"
CLIP = "clip-vit-base-patch32"
SAM = "sam-vit-base"
SAM3 = "sam3"
EDGETAM = "EdgeTAM-hf"

SAM2_SIZES = ("tiny", "small", "base_plus", "large")
SAM2_VERSIONS = {"2.0": "sam2", "2.1": "sam2.1"}


def builtin_file(name: str) -> Path:
    """The file behind ``builtin://NAME``."""
    folder = Path(__file__).parent / "models" / "weights"
    return folder / f"{name.removeprefix(BUILTIN)}.safetensors"


def sam2_file(size: str, version: str) -> str:
    """Name under which SAM2's weights of a size are published."""
    return f"{SAM2_VERSIONS[version]}_hiera_{size}.pt"


SOURCES = {
    **{sam2_file(s, v): SAM2_SOURCE for s in SAM2_SIZES for v in SAM2_VERSIONS},
    VGGISH_FILE: VGGISH_SOURCE,
    "resnet50-0676ba61.pth": RESNET_SOURCE,
    "pvt_v2_b5.pth": PVT_SOURCE,
    TEXT_MODEL: f"https://huggingface.co/distilbert/{TEXT_MODEL}",
    MASK2FORMER_MODEL: f"https://huggingface.co/facebook/{MASK2FORMER_MODEL}",
    GROUNDING_DINO: f"https://huggingface.co/IDEA-Research/{GROUNDING_DINO}",
    CLAP: f"https://huggingface.co/laion/{CLAP}",
    AST: f"https://huggingface.co/MIT/{AST}",
    WHISPER: f"https://huggingface.co/openai/{WHISPER}",
    WAVLM: f"https://huggingface.co/microsoft/{WAVLM}",
    HUBERT: f"https://huggingface.co/facebook/{HUBERT}",
    PE_AUDIO: f"https://huggingface.co/facebook/{PE_AUDIO}",
    CLIP: f"https://huggingface.co/openai/{CLIP}",
    SAM: f"https://huggingface.co/facebook/{SAM}",
    SAM3: f"https://huggingface.co/facebook/{SAM3}",
    EDGETAM: f"https://huggingface.co/yonigozlan/{EDGETAM}",
}
"""Published file, or folder of a model of transformers -> where to get it."""


def missing_files(node: Any) -> list[str]:
    """Return a message for every weight file that a config names and that is not there.

    It names the file's path, the published file, where that is, and the key to set.
    """
    return [
        f"no weights at '{value}'; {_published(value)}: set `{key}` to its path"
        for key, value in stated_files(node)
        if not value.startswith(BUILTIN) and not Path(os.path.expanduser(value)).exists()
    ]


def stated_files(node: Any) -> Iterator[tuple[str, str]]:
    """Yield dotted path and value of every weight file that a plain config names."""
    for key, value in leaves(node):
        if key.rpartition(".")[2] in FILE_KEYS and isinstance(value, str):
            yield key, value


def image_weight_problems(path: str | os.PathLike[str] | None, published: str) -> list[str]:
    """What to tell a user whose weights of an image encoder are not there.

    Args:
        path: as the config states it; ``None`` asks for random weights.
        published: name of the file of ``SOURCES`` that the defaults of the encoder want.
    """
    if path is None or Path(os.path.expanduser(path)).is_file():
        return []
    return [
        f"no weights at '{os.fspath(path)}'; the published file is {published}, from "
        f"{SOURCES[published]}: set `model.image_encoder.weights` to its path, or to None to train "
        "from the start"
    ]


def folder_problems(
    folder: str | os.PathLike[str] | None, published: str, key: str, instead: str = ""
) -> list[str]:
    """What to tell a user whose folder of a model of transformers is not there.

    Args:
        folder: as the config states it.
        published: name of the folder of ``SOURCES``.
        key: of the config that states it.
        instead: what else may be done, behind all that is told.
    """
    if folder is not None and (Path(os.path.expanduser(folder)) / "config.json").is_file():
        return []
    stated = key.rpartition(".")[2]
    got = f"{stated}=None" if folder is None else f"no model at '{folder}' (no config.json there)"
    return [
        f"{got}; the published folder is {published}, from {SOURCES[published]}: download it and "
        f"set `{key}` to its path{instead}"
    ]


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted path and value of all in a plain config that is neither a dict nor a list."""
    if isinstance(node, Mapping):
        inside: Iterable[tuple[Any, Any]] = node.items()
    elif isinstance(node, (list, tuple)):
        inside = enumerate(node)
    else:
        yield path, node
        return
    for key, value in inside:
        yield from leaves(value, f"{path}.{key}" if path else str(key))


def _published(path: str) -> str:
    name = Path(path).name
    if name in SOURCES:
        return f"the published file is {name}, from {SOURCES[name]}"
    origins = ", ".join(dict.fromkeys(SOURCES.values()))
    return f"published are {', '.join(SOURCES)}, from {origins}"
