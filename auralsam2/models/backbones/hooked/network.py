"""What promptable networks around models of transformers have in common.

Their modules are called as they are, by the names that transformers has for them; the way through a
clip is that of our trackers and methods.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.models.backbones.hooked.two_way import HookedTwoWay
from auralsam2.models.backbones.promptable import NUM_MASK_TOKENS, Points, Promptable

PARTS = {
    "vision_encoder": "image_encoder",
    "prompt_encoder": "sam_prompt_encoder",
    "mask_decoder": "sam_mask_decoder",
    "object_pointer_proj": "obj_ptr_proj",
    "temporal_positional_encoding_projection_layer": "obj_ptr_tpos_proj",
}
"""What transformers calls parts that have names of the official SAM2."""


class HookedNetwork(Promptable, nn.Module):
    """A model of transformers behind the contract of :class:`Promptable`.

    Args:
        model: with ``vision_encoder``, ``prompt_encoder`` and ``mask_decoder``.
        lacking: see :class:`HookedTwoWay`.
    """

    def __init__(self, model: nn.Module, lacking: int = 0) -> None:
        super().__init__()
        self.model: Any = model
        self.two_way = HookedTwoWay(self.model.mask_decoder.transformer, lacking)
        first = 2 - lacking  # behind the tokens of object and IoU
        self._mask_tokens = slice(first, first + NUM_MASK_TOKENS)

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """By name what a method may train, under SAM2's official names where it has one."""
        return {PARTS.get(name, name): part for name, part in self.model.named_children()}

    @property
    def image_encoder(self) -> Any:
        """Frames to maps."""
        return self.model.vision_encoder

    @property
    def sam_prompt_encoder(self) -> Any:
        """Clicks, boxes and masks to embeddings."""
        return self.model.prompt_encoder

    @property
    def sam_mask_decoder(self) -> Any:
        """Embeddings to masks."""
        return self.model.mask_decoder

    @property
    def embedding_size(self) -> int:
        """E, the side of the coarsest feature map."""
        return int(self.model.prompt_encoder.image_embedding_size[0])

    @property
    def hidden_dim(self) -> int:
        """C."""
        return int(self.model.prompt_encoder.hidden_size)

    @property
    def image_size(self) -> int:  # type: ignore[override]
        """S."""
        return int(self.model.prompt_encoder.input_image_size)

    @abstractmethod
    def _finer(self, high_res: Sequence[Tensor]) -> dict[str, Any]:
        """Keyword of the decoder for finer maps, where it reads them."""

    @abstractmethod
    def _score(self, outputs: Sequence[Tensor]) -> Tensor:
        """(B, 1) object score, given what the decoder returns."""

    def _embed_prompts(
        self, points: Points | None, masks: Tensor | None
    ) -> tuple[Tensor | None, Tensor]:
        coords, labels = (None, None) if points is None else (x[:, None] for x in points)
        sparse, dense = self.model.prompt_encoder(
            input_points=coords, input_labels=labels, input_boxes=None, input_masks=masks
        )
        return None if sparse is None else sparse[:, 0], dense

    def _predict_masks(
        self, features: Tensor, high_res: Sequence[Tensor], sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of four masks, their IoUs and tokens, and the object score.

        The decoder gives three masks or one; the one that it keeps to itself, and all tokens, are
        seen by hooks.
        """
        decoder = self.model.mask_decoder
        inside = (decoder.activation, decoder.output_hypernetworks_mlps[0])
        inside += (decoder.iou_prediction_head, decoder.transformer)
        with _last_outputs(*inside) as seen:
            outputs = decoder(
                image_embeddings=features,
                image_positional_embeddings=self.model.get_image_wide_positional_embeddings(),
                sparse_prompt_embeddings=sparse[:, None],
                dense_prompt_embeddings=dense,
                multimask_output=True,
                **self._finer(high_res),
            )
        enlarged, weights, ious, (tokens, _) = seen  # (B, C', 4E, 4E), (B, 1, C'), (B, 1, 4)
        single = torch.einsum("bkc,bchw->bkhw", weights, enlarged)
        logits = torch.cat([single, outputs[0][:, 0]], dim=1)
        return logits, ious[:, 0], tokens[:, 0, self._mask_tokens], self._score(outputs)


@contextmanager
def _last_outputs(*modules: nn.Module) -> Iterator[list[Any]]:
    """What each module gives last inside the context."""
    seen: list[Any] = [None] * len(modules)

    def keep(index: int) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            seen[index] = output

        return hook

    with ExitStack() as hooks:
        for index, module in enumerate(modules):
            hooks.callback(module.register_forward_hook(keep(index)).remove)
        yield seen
