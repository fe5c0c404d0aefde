"""EEMC on its original terms: a frozen Mask2Former whose queries read the multimodal cues.

Axes: B clips, T frames, F = B T, Q queries, C their width, P prompt tokens of a frame, S side of
the frames.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.adapters import two_layers
from auralsam2.models.freezing import Freezable
from auralsam2.models.methods.base import ClipBatch, Node
from auralsam2.models.methods.eemc_cues import CuedMethod
from auralsam2.models.one_mask import as_prediction
from auralsam2.models.weights.folder import INSTALL, load_folder
from auralsam2.models.weights.loading import Tolerance
from auralsam2.registry import MODELS
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction
from auralsam2.weight_files import MASK2FORMER_MODEL, folder_problems

INSTEAD = ", or `model.random_weights` to True"
# The loss's weights of classes, which nothing here reads.
CRITERION = Tolerance(("criterion.",), ("criterion.",))
# Swin-B at 384 px, in front of Mask2Former's defaults: 100 queries of width 256.
SWIN_B = dict(
    image_size=384, embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32], window_size=12
)
OUTPUT_SIZE = 256
"""Side of the mask logits."""


class QueryAttention(nn.Module):
    """Queries that read the prompts: ``q + s(b1) CrossAttention(q; p) + s(b2) mean(p)``.

    ``s`` is the sigmoid, and ``b1`` and ``b2`` are learned, from 1 on.
    """

    def __init__(self, channels: int = 256, num_heads: int = 4) -> None:
        super().__init__()
        self.attention_gate, self.mean_gate = (nn.Parameter(torch.ones(1)) for _ in range(2))
        self.attention = nn.MultiheadAttention(channels, num_heads, batch_first=True)

    def forward(self, queries: Tensor, prompts: Tensor) -> Tensor:
        """(F, Q, C) and (F, P, C) -> (F, Q, C)."""
        read = self.attention(queries, prompts, prompts, need_weights=False)[0]
        mean = prompts.mean(dim=1, keepdim=True)
        return queries + self.attention_gate.sigmoid() * read + self.mean_gate.sigmoid() * mean


def read_out(class_logits: Tensor, mask_logits: Tensor, side: int, size: int) -> Tensor:
    """One map of all queries: masks weighted by how far class 0 outweighs the null class.

    Args:
        class_logits: (F, Q, classes + 1); the first is what is referred to, the last is null.
        mask_logits: (F, Q, h, h).
        side: S, to which masks are enlarged first.
        size: of the answer, both bilinear.

    Returns:
        (F, size, size) logits.
    """
    weight = class_logits[..., [0, -1]].softmax(dim=-1)[..., 0]
    # Interpolation is linear: it may follow the sum, which is a hundredth of the work.
    logits = torch.einsum("fq,fqhw->fhw", weight, mask_logits)[:, None]
    for target in (side, size):
        logits = F.interpolate(logits, (target, target), mode="bilinear", align_corners=False)
    return logits[:, 0]


class Mask2Former(Freezable):
    """A frozen Mask2Former of transformers, with doors for adapters and for its queries."""

    frozen = True

    def __init__(self, weights: str | os.PathLike[str] | None) -> None:
        super().__init__()
        try:
            from transformers import (
                Mask2FormerConfig,
                Mask2FormerForUniversalSegmentation,
                SwinConfig,
            )
        except ImportError as error:
            raise ImportError(f"EEMCMask2Former needs transformers: {INSTALL}") from error
        build = Mask2FormerForUniversalSegmentation
        self.network: Any
        if weights is None:
            stages = [f"stage{i}" for i in (1, 2, 3, 4)]
            swin = SwinConfig(**SWIN_B, out_features=stages)
            self.network = build(Mask2FormerConfig(backbone_config=swin))
        else:
            folder = Path(os.path.expanduser(weights))
            self.network = load_folder(build, folder, "EEMCMask2Former", "Mask2Former", CRITERION)
        self.freeze()

    @property
    def pixels(self) -> Any:
        """Backbone and pixel decoder."""
        return self.network.model.pixel_level_module

    def maps(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(F, 3, S, S) normalised -> the backbone's maps, finest first."""
        with torch.no_grad():
            return tuple(self.pixels.encoder(frames).feature_maps)

    def answer(
        self, maps: tuple[Tensor, ...], change: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Class logits (F, Q, classes + 1) and mask logits (F, Q, h, h) of changed queries.

        ``change`` gets the query features (F, Q, C) of every frame.
        """
        transformer = self.network.model.transformer_module

        def prompted(_: nn.Module, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            queries = inputs["inputs_embeds"].transpose(0, 1)
            return args, {**inputs, "inputs_embeds": change(queries).transpose(0, 1)}

        decoded = self.pixels.decoder(list(maps))
        hook = transformer.decoder.register_forward_pre_hook(prompted, with_kwargs=True)
        try:
            out = transformer(decoded.multi_scale_features, decoded.mask_features)
        finally:
            hook.remove()
        states = out.intermediate_hidden_states[-1].transpose(0, 1)
        return self.network.class_predictor(states), out.masks_queries_logits[-1]


@MODELS.register_module()
class EEMCMask2Former(CuedMethod):
    """EEMC on its original terms (Ref-AVS, Wang et al., ECCV 2024), around a frozen Mask2Former.

    The cues change its queries; behind each deformable attention of its pixel decoder an adapter is
    trained. All queries together make the one mask of a frame.

    Args:
        audio_encoder: node of ``AUDIO_ENCODERS``.
        text_encoder: node of ``TEXT_ENCODERS``.
        weights: folder of a Mask2Former as transformers writes it; never downloaded.
        random_weights: start from a random Swin-B, for tests and dry runs; ``weights`` must then
            be None.
        adapter_channels: hidden width of the adapters.
        adapters_without_skip: as released, an adapter's output takes the place of what the
            pretrained attention says; off, it is added to it.
        image_size: S, to which frames are held; None takes any.
        **shared: see :class:`CuedMethod`.

    Raises:
        FileNotFoundError: where there is no such folder, before anything is built.
        ValueError: where neither or both of ``weights`` and ``random_weights`` are given.
    """

    def __init__(
        self,
        audio_encoder: Node,
        text_encoder: Node,
        weights: str | os.PathLike[str] | None = None,
        random_weights: bool = False,
        adapter_channels: int = 64,
        adapters_without_skip: bool = False,
        image_size: int | None = None,
        **shared: Any,
    ) -> None:
        if problems := self.problems(weights, random_weights):
            missing = weights is not None and not random_weights
            raise (FileNotFoundError if missing else ValueError)(problems[0])
        super().__init__(audio_encoder=audio_encoder, text_encoder=text_encoder, **shared)
        self.mask2former = Mask2Former(weights)
        self.sides = {} if image_size is None else {"S": image_size}
        pixels = self.mask2former.pixels
        layers, channels = pixels.decoder.encoder.layers, self.mask2former.network.config.hidden_dim
        self.cues = self.build_cues(pixels.encoder.channels[-1], channels)
        self.query_attention = QueryAttention(channels)
        self.adapters = nn.ModuleList(
            two_layers(channels, adapter_channels, channels) for _ in layers
        )
        for layer, adapter in zip(layers, self.adapters, strict=True):
            # A partial, unlike a closure, leads to the copy's own adapter where a model is copied.
            hook = partial(_adapted, adapter, not adapters_without_skip)
            layer.self_attn.register_forward_hook(hook)

    @staticmethod
    def problems(
        weights: str | os.PathLike[str] | None = None, random_weights: bool = False, **_: object
    ) -> list[str]:
        """What stands in the way of building, found without building."""
        if random_weights:
            return [f"got both {weights=} and random_weights=True"] if weights is not None else []
        return folder_problems(weights, MASK2FORMER_MODEL, "model.weights", INSTEAD)

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(B, T, 3, S, S) uint8 -> the backbone's maps of F frames, finest first."""
        check_shape(frames, "B T 3 S S", name="frames", **self.sides)
        return self.mask2former.maps(self.normalise(frames.flatten(0, 1)))

    def predict_clip(self, batch: ClipBatch) -> Prediction:
        """One mask a frame."""
        shape = batch.frames.shape[:2]
        maps = self.encode(batch.frames)
        prompts = self.prompts(maps[-1].unflatten(0, shape), batch).flatten(0, 1)
        classes, masks = self.mask2former.answer(
            maps, lambda queries: self.query_attention(queries, prompts)
        )
        logits = read_out(classes.float(), masks.float(), batch.frames.shape[-1], OUTPUT_SIZE)
        return as_prediction(logits.unflatten(0, shape))


def _adapted(
    adapter: nn.Module, skip: bool, attention: nn.Module, inputs: object, output: tuple[Tensor, Any]
) -> tuple[Tensor, Any]:
    states, *rest = output
    return (states + adapter(states) if skip else adapter(states), *rest)
