"""What every tensor of the released fuser is called by its authors and by us: a table as data.

Both state dicts hold the same tensors. Ours keeps 1x1 convolutions as linear layers, whose
weights lack the trailing axes of size one. Widths are letters, resolved from the file at hand:
C channels, H hidden width of the feed-forward, R kernel of the key reduction, I inner width of the
fusion, D width of the projection, W and X width and hidden width of the text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

VARIANTS = ("avs", "ref")
"""``avs``: the release's AVSBench trees; ``ref``: its Ref-AVS tree."""

RELEASED_WIDTHS = {"C": 256, "H": 1024, "R": 4, "I": 128, "D": 128, "W": 768, "X": 1024}
RELEASED_VISUAL_DEPTHS, RELEASED_AUDIO_DEPTHS = (3, 6, 12), (3, 3, 3)
PATCH_SIZES = (4, 2, 1)

FUSER_PREFIX = "aural_fuser."
CARRIED = {"v_model.": "backbone.network.", "t_model.": "text_encoder.network."}
"""Prefixes of the frozen networks in full models; their inner names are the same on both sides."""

Size = int | str
Shape = tuple[Size, ...]


class Layer(NamedTuple):
    """A layer with a weight and a bias."""

    authors: str  # its name in the authors' module; empty where it is the module
    ours: str  # its name in our module
    weight: Shape  # the authors' shape of the weight
    flat: bool = False  # ours is a linear layer, its weight ends after two axes
    statistics: bool = False  # a batch normalisation, with its three buffers
    unused: bool = False  # the released code never reads it


class Entry(NamedTuple):
    """One tensor: both names, the authors' shape, whether ours is flat, whether it is unused."""

    authors: str
    ours: str
    shape: Shape
    flat: bool
    unused: bool

    def key(self, side: str) -> str:
        """Its name on a side, ``authors`` or ``ours``."""
        return self.authors if side == "authors" else self.ours

    def shape_on(self, side: str) -> Shape:
        """Its shape on a side, with letters."""
        return self.shape[:2] if side == "ours" and self.flat else self.shape


class Structure(NamedTuple):
    """What a fuser consists of."""

    variant: str  # one of ``VARIANTS``
    # Blocks of each level, finest first; its length is the number of levels.
    visual_depths: tuple[int, ...]
    audio_depths: tuple[int, ...]  # likewise
    vggish: bool = True  # whether the audio network is there


def _pointwise(authors: str, ours: str, axes: int, *width: Size, unused: bool = False) -> Layer:
    """A 1x1 convolution with ``axes`` trailing axes of size one, a linear layer in ours."""
    return Layer(authors, ours, (*width, *(1,) * axes), flat=True, unused=unused)


def _block(unused: str) -> tuple[Layer, ...]:
    """A block of the visual stream; in the audio stream's, three layers are ``unused_``."""
    idle = bool(unused)
    return (
        Layer("norm1", "norm1", ("C",)),
        Layer("attn.q", "attn.q", ("C", "C")),
        Layer("attn.kv", "attn.kv", ("2C", "C")),
        Layer("attn.proj", "attn.proj", ("C", "C")),
        Layer("attn.sr", f"attn.{unused}reduction", ("C", "C", "R", "R"), unused=idle),
        Layer("attn.norm", f"attn.{unused}reduction_norm", ("C",), unused=idle),
        Layer("norm2", "norm2", ("C",)),
        Layer("mlp.fc1", "mlp.fc1", ("H", "C")),
        Layer("mlp.dwconv.dwconv", f"mlp.{unused}depthwise", ("H", 1, 3, 3), unused=idle),
        Layer("mlp.fc2", "mlp.fc2", ("C", "H")),
    )


VISUAL_BLOCK, AUDIO_BLOCK = _block(""), _block("unused_")

FUSION = (
    _pointwise("align_channel", "align", 1, "C", "C"),
    _pointwise("align_channel_back", "unused_align", 1, "I", "C", unused=True),
    Layer("norm_layer", "visual_norm", ("C",)),
    _pointwise("g", "unused_visual", 3, "I", "C", unused=True),
    _pointwise("W_z.0", "visual_out", 3, "C", "I"),
    Layer("W_z.1", "visual_attention_norm", ("C",), statistics=True),
    _pointwise("W_z2.0", "audio_out", 1, "C", "I"),
    Layer("W_z2.1", "audio_attention_norm", ("C",), statistics=True),
    Layer("norm_layer2", "audio_norm", ("C",)),
    _pointwise("q_frame", "visual_query", 3, "I", "C"),
    _pointwise("k_frame", "visual_key", 3, "I", "C"),
    _pointwise("v_frame", "visual_value", 3, "I", "C"),
    _pointwise("q_audio", "audio_query", 1, "I", "C"),
    _pointwise("k_audio", "audio_key", 1, "I", "C"),
    _pointwise("v_audio", "audio_value", 1, "I", "C"),
)

VGGISH = tuple(
    Layer(name, name, shape)
    for name, shape in {
        "features.0": (64, 1, 3, 3),
        "features.3": (128, 64, 3, 3),
        "features.6": (256, 128, 3, 3),
        "features.8": (256, 256, 3, 3),
        "features.11": (512, 256, 3, 3),
        "features.13": (512, 512, 3, 3),
        "embeddings.0": (4096, 12288),
        "embeddings.2": (4096, 4096),
        "embeddings.4": (128, 4096),
    }.items()
)

SMOOTH = (_pointwise("", "", 2, "C", "C"),)
TEXT = (Layer("0", "0", ("X", "W")), Layer("2", "2", ("C", "X")))
HEADS = {
    "train_proj_v1.proj": "projector.visual_head",
    "train_proj_a1.proj": "projector.audio_head",
}


def _head(variant: str, axes: int) -> tuple[Layer, ...]:
    """A projection head; ``axes`` of the convolutions of the AVS variant."""
    if variant == "ref":
        norm, last = Layer("2", "2", ("D",)), Layer("3", "3", ("D", "D"))
        return (Layer("0", "0", ("D", "C")), norm, last)
    return (
        _pointwise("0", "0", axes, "D", "C"),
        Layer("1", "1", ("D",), statistics=True),
        _pointwise("2", "2", axes, "D", "D"),
    )


def entries(structure: Structure) -> Iterator[Entry]:
    """Every tensor of a fuser, in the order of the authors' state dict."""
    levels = len(structure.visual_depths)
    if structure.vggish:
        yield from _module("vgg", "audio_encoder.network", VGGISH)
    for level, patch in enumerate(PATCH_SIZES[-levels:] if levels else ()):
        embed = (Layer("", "", ("C", "C", patch, patch)),)
        yield from _module(f"patch_embeds.{level}", f"fuser.pyramid.patch_embeds.{level}", embed)
    for authors, ours, depths, block in (
        ("f_blocks", "fuser.visual_attentions", structure.visual_depths, VISUAL_BLOCK),
        ("a_blocks", "fuser.audio_attentions", structure.audio_depths, AUDIO_BLOCK),
    ):
        for level, depth in enumerate(depths):
            for i in range(depth):
                yield from _module(f"{authors}.{level}.{i}", f"{ours}.{level}.blocks.{i}", block)
    for level in range(levels):
        yield from _module(f"fusion_modules.{level}", f"fuser.fusions.{level}", FUSION)
    for level in range(levels - 1):
        yield from _module(f"smooth_convs.{level}", f"fuser.smooth.{level}", SMOOTH)
    for (authors, ours), axes in zip(HEADS.items(), (2, 1), strict=True):
        yield from _module(authors, ours, _head(structure.variant, axes))
    if structure.variant == "ref":
        yield from _module("text_proj", "text_adapter.proj", TEXT)


def _module(authors: str, ours: str, layers: Iterable[Layer]) -> Iterator[Entry]:
    for layer in layers:
        tensors: dict[str, tuple[Shape, bool]] = {
            "weight": (layer.weight, layer.flat),
            "bias": (layer.weight[:1], False),
        }
        if layer.statistics:
            tensors |= dict.fromkeys(("running_mean", "running_var"), (layer.weight, False))
            tensors["num_batches_tracked"] = ((), False)
        for name, (shape, flat) in tensors.items():
            yield Entry(
                _join(authors, layer.authors, name),
                _join(ours, layer.ours, name),
                shape,
                flat,
                layer.unused,
            )


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def resolve(shape: Shape, widths: Mapping[str, int]) -> tuple[int, ...]:
    """A shape with its letters replaced; ``2C`` is twice C."""
    return tuple(s if isinstance(s, int) else _width(s, widths) for s in shape)


def _width(size: str, widths: Mapping[str, int]) -> int:
    factors = [int(size[:-1])] if len(size) > 1 else []
    return math.prod([*factors, widths[size[-1]]])
