"""What a tracker and the methods ask of a promptable network, whoever has made its layers.

A network gives its encoder's maps (``raw_pyramid``), as its decoder wants them
(``decoder_features``), and decodes them with clicks, masks and injected prompts (``decode``). One
that has a memory conditions a frame on those before it and remembers what was decoded, in the words
of the official SAM2, see :class:`~auralsam2.models.backbones.sam2.memory.ClipMemory`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from auralsam2.models.freezing import Freezable
from auralsam2.models.injection import SitePrompts, StepwiseInjection
from auralsam2.shapes import check_shape
from auralsam2.structures import VisualPyramid

NUM_MASK_TOKENS = 4
"""Of the decoder: the single mask, and the three of multimask."""
NO_OBJECT = -1024.0
"""Logit of every pixel where no object is seen, as upstream has it."""


class Decoded(NamedTuple):
    """The decoder's answer for one frame of B clips; M masks (4, or 3 with multimask only)."""

    mask_logits: Tensor  # (B, M, 4E, 4E)
    ious: Tensor  # (B, M)
    object_score_logits: Tensor  # (B, 1)
    best: Tensor  # (B, 1, 4E, 4E), the mask with the highest predicted IoU among the candidates
    pointer: Tensor  # (B, C) object pointer of the best mask


class Points(NamedTuple):
    """Clicks and box corners."""

    coords: Tensor  # (B, P, 2) as x, y in pixels
    # (B, P): 1 and 0 for positive and negative clicks, 2 and 3 for a box's corners, -1 for padding.
    labels: Tensor


class TwoWay:
    """What a decoder's two-way transformer has beside its forward: prompts, and what a probe asks.

    It is called with an image and its position code (B, C, E, E) and with tokens (B, K, C), and
    gives tokens (B, K, C) and the N = E E positions of the image (B, N, C).

    Attributes:
        transformer: that of the decoder.
        lacking: output tokens in front that SAM2 has and this decoder has not; wherever tokens are
            told or taken here, zeros stand in their place.
        prompts: injected now.
        injection: where they go.
    """

    transformer: Any
    lacking: int = 0
    prompts: Sequence[SitePrompts] = ()
    injection: StepwiseInjection | None = None

    @property
    def readers(self) -> list[nn.Module]:
        """The token-to-image attentions in order: one a block, then the final one."""
        blocks = [layer.cross_attn_token_to_image for layer in self.transformer.layers]
        return [*blocks, self.transformer.final_attn_token_to_image]

    @contextmanager
    def injecting(
        self, prompts: Sequence[SitePrompts], injection: StepwiseInjection
    ) -> Iterator[None]:
        """Inject ``prompts``, one entry a site, into every forward inside the context.

        No argument, since mask decoders call their transformer with a fixed signature.
        """
        self.prompts, self.injection = prompts, injection
        try:
            yield
        finally:
            self.prompts, self.injection = (), None

    def watch(self, before: Callable[[Tensor, Tensor, Tensor], None]) -> RemovableHandle:
        """Call ``before`` with image, position code and tokens of every forward."""
        raise NotImplementedError

    def skipped(self) -> AbstractContextManager[None]:
        """Give tokens and image back as they came, inside the context."""
        raise NotImplementedError


class Promptable:
    """Decoding with prompts, shared by all networks; mixed into a module.

    Attributes:
        image_size: S.
        has_memory: whether a frame can see those before it.
        num_levels: maps of the pyramid, 3 where the decoder reads finer ones.
        image_encoder: that of the network.
        sam_prompt_encoder: likewise, with ``no_mask_embed``.
        sam_mask_decoder: likewise.
        two_way: its transformer, in which prompts are injected and which can be looked into.
        multimask_max_pt_num: clicks on a frame up to which the best of three masks answers.
        no_mem_embed: (1, 1, C) added to the coarsest map of a frame without memory.
    """

    image_size: int
    has_memory: bool = True
    num_levels: int = 3
    image_encoder: Any
    sam_prompt_encoder: Any
    sam_mask_decoder: Any
    two_way: Any
    multimask_max_pt_num: int
    no_mem_embed: Any

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """By name what a method may train."""
        raise NotImplementedError

    @property
    def trunk(self) -> nn.Module:
        """SAM2's Hiera, for what is made for its blocks.

        Raises:
            ValueError: where the image encoder is another one.
        """
        raise ValueError(
            "this is made for the blocks of SAM2's Hiera, which the backbone has not; set "
            "`model.backbone` to a SAM2Backbone"
        )

    def _predict_masks(
        self, features: Tensor, high_res: Sequence[Tensor], sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of four masks, their IoUs and tokens, and the object score."""
        raise NotImplementedError

    def _embed_prompts(
        self, points: Points | None, masks: Tensor | None
    ) -> tuple[Tensor | None, Tensor]:
        """(B, K, C) of points and (B, C, E, E) of masks, of which at least one is there."""
        raise NotImplementedError

    def _pointer(self, token: Tensor, score: Tensor) -> Tensor:
        """(B, C) object pointer of mask tokens (B, C) and object scores (B, 1)."""
        raise NotImplementedError

    def stable_mask(self, logits: Tensor, ious: Tensor) -> Tensor:
        """(B, 1, 4E, 4E): of four masks the single one, or the best where that is not stable."""
        raise NotImplementedError

    def raw_pyramid(self, frames: Tensor) -> list[Tensor]:
        """The encoder's maps of normalised (F, 3, S, S) frames, finest first."""
        raise NotImplementedError

    def decoder_features(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Maps (F, ...) of :meth:`raw_pyramid` at the widths that decoder and memory read."""
        raise NotImplementedError

    def image_maps(self, pyramid: VisualPyramid) -> list[Tensor]:
        """What the decoder reads of R = B T frames as images, finest first.

        Returns:
            (R, C / 8, 4E, 4E), (R, C / 4, 2E, 2E), as far as it reads them, and (R, C, E, E) with
            the *no memory* embedding.
        """
        *finer, coarse = self.decoder_features([level.flatten(0, 1) for level in pyramid.levels])
        return [*finer, coarse + self.no_mem_embed.reshape(1, -1, 1, 1)]

    def decode(
        self,
        features: Tensor,
        high_res: Sequence[Tensor],
        *,
        points: Points | None = None,
        masks: Tensor | None = None,
        extra_tokens: Tensor | None = None,
        prompts: Sequence[SitePrompts] = (),
        injection: StepwiseInjection | None = None,
        pad_point: bool = False,
        all_masks: bool = False,
        single: bool = False,
    ) -> Decoded:
        """One pass of prompt encoder and mask decoder.

        Args:
            features: (B, C, E, E), after memory conditioning.
            high_res: (B, C/8, 4E, 4E) and (B, C/4, 2E, 2E), as far as the decoder reads them.
            points: clicks and boxes.
            masks: (B, 1, 4E, 4E) mask prompt as logits.
            extra_tokens: (B, K, C) prompt tokens of the caller's own, behind those of points: they
                pass the whole transformer and no output is read from them.
            prompts: audio prompts, one entry a site.
            injection: where they go.
            pad_point: without points, add upstream's padding point.
            all_masks: return four masks (single-mask output first) instead of three; the best one
                is chosen among the last three either way.
            single: answer with the single-mask output instead, as upstream does to several clicks.
        """
        if points is None and pad_point:
            points = self._padding_point(features)
        sparse, dense = self._encode_prompts(features, points, masks)
        if extra_tokens is not None:
            shape = {"B": features.shape[0], "C": features.shape[1]}
            check_shape(extra_tokens, "B K C", name="extra tokens", **shape)
            sparse = torch.cat([sparse, extra_tokens.to(sparse.dtype)], dim=1)
        with self._injecting(prompts, injection):
            decoded = self._predict_masks(features, high_res, sparse, dense)
        return self._choose(*decoded, first=0 if all_masks else 1, single=single)

    def _padding_point(self, features: Tensor) -> Points:
        zero = features.new_zeros(len(features), 1, 2)
        return Points(zero, -torch.ones(len(zero), 1, dtype=torch.int32, device=zero.device))

    def _encode_prompts(
        self, features: Tensor, points: Points | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        batch, channels, e, _ = features.shape
        # Encoders cannot tell the batch size without a prompt, so their two constants are spelled
        # out: no sparse token and the learned "no mask" embedding.
        plain = self.sam_prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        sparse, dense = None, plain.expand(batch, -1, e, e)
        if points is not None or masks is not None:
            sparse, dense = self._embed_prompts(points, masks)
        return features.new_zeros(batch, 0, channels) if sparse is None else sparse, dense

    def _injecting(
        self, prompts: Sequence[SitePrompts], injection: StepwiseInjection | None
    ) -> AbstractContextManager[None]:
        if not prompts or injection is None:
            return nullcontext()
        return self.two_way.injecting(prompts, injection)

    def _choose(
        self,
        logits: Tensor,
        ious: Tensor,
        tokens: Tensor,
        score: Tensor,
        first: int,
        single: bool,
    ) -> Decoded:
        """The masks from ``first`` on, and the single one or the best of the last three."""
        logits = logits.float()
        best = ious[:, 1:].argmax(dim=1)
        chosen = torch.zeros_like(best) if single else 1 + best
        rows = torch.arange(len(logits), device=logits.device)
        pointer = self._pointer(tokens[rows, chosen], score)
        best = logits[rows, chosen][:, None]
        return Decoded(logits[:, first:], ious[:, first:], score, best, pointer)

    def gate(self, logits: Tensor, score: Tensor) -> Tensor:
        """Upstream's rule: where no object is seen every logit becomes -1024."""
        shape = (-1,) + (1,) * (logits.dim() - 1)
        return torch.where(score.reshape(shape) > 0, logits, NO_OBJECT)

    def gated(self, out: Decoded) -> Decoded:
        """An answer whose masks are empty where no object is seen, by :meth:`gate`."""
        masks, best = (self.gate(x, out.object_score_logits) for x in (out.mask_logits, out.best))
        return out._replace(mask_logits=masks, best=best)

    def upsample(self, logits: Tensor) -> Tensor:
        """(B, M, h, w) -> (B, M, S, S), bilinear."""
        size = (self.image_size, self.image_size)
        return F.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)


class PromptableBackbone(Freezable):
    """A promptable network as a component: pyramid, decoder and memory behind one door.

    Attributes:
        network: the promptable model.
        channels: C of the pyramid.
        embedding_size: E.
        image_size: S.
    """

    def __init__(self, network: Any, frozen: bool) -> None:
        super().__init__()
        self.network: Any = network
        self.channels, self.embedding_size = network.hidden_dim, network.embedding_size
        self.image_size = int(network.image_size)
        self.frozen = frozen
        self.freeze()

    def forward(self, frames: Tensor) -> VisualPyramid:
        """(B, T, 3, S, S) normalised frames -> the raw pyramid of every frame."""
        side = self.image_size
        check_shape(frames, f"B T 3 {side} {side}", name="frames")
        maps = self.network.raw_pyramid(frames.flatten(0, 1))
        return VisualPyramid(tuple(m.unflatten(0, frames.shape[:2]) for m in maps))
