"""Step-wise injection of audio prompts into SAM2's two-way transformer (paper, section 3.3).

The official transformer runs block 1, block 2 and a final token-to-image attention. In front of
each of these three sites ours adds a dense prompt to the keys (the image) and a sparse prompt to
chosen query tokens, so that the audio does not fade on its way through the decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sam2.modeling.sam.transformer import TwoWayTransformer
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from auralsam2.models.backbones.promptable import TwoWay


class InjectableTwoWayTransformer(TwoWay, TwoWayTransformer):
    """The official two-way transformer with three injection sites; state dict unchanged.

    Outside of :meth:`injecting` the official ``forward`` runs untouched.
    """

    @property
    def transformer(self) -> InjectableTwoWayTransformer:  # type: ignore[override]
        """Itself."""
        return self

    def watch(self, before: Callable[[Tensor, Tensor, Tensor], None]) -> RemovableHandle:
        """See :meth:`TwoWay.watch`."""
        return self.register_forward_pre_hook(lambda _, given: before(*given))

    @contextmanager
    def skipped(self) -> Iterator[None]:
        """See :meth:`TwoWay.skipped`."""
        self.forward = lambda image, _, tokens: (tokens, image.flatten(2).transpose(1, 2))
        try:
            yield
        finally:
            del self.forward

    def forward(
        self, image_embedding: Tensor, image_pe: Tensor, point_embedding: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As upstream: (B, C, H, W), (B, C, H, W), (B, K, C) -> (B, K, C), (B, HW, C)."""
        if not any(p.sparse is not None or p.dense is not None for p in self.prompts):
            return super().forward(image_embedding, image_pe, point_embedding)
        assert self.injection is not None
        image_pe = image_pe.flatten(2).permute(0, 2, 1)
        keys = image_embedding.flatten(2).permute(0, 2, 1)
        queries = position = point_embedding
        for site, layer in enumerate(self.layers):
            queries, keys = self._inject(site, queries, keys)
            if site == 0:
                position = self.injection.token_position(point_embedding, queries)
            queries, keys = layer(queries=queries, keys=keys, query_pe=position, key_pe=image_pe)
        queries, keys = self._inject(len(self.layers), queries, keys)
        attended = self.final_attn_token_to_image(q=queries + position, k=keys + image_pe, v=keys)
        return self.norm_final_attn(queries + attended), keys

    def _inject(self, site: int, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        if site >= len(self.prompts):
            return queries, keys
        sparse, dense = self.prompts[site]
        if dense is not None:
            keys = keys + dense.to(keys.dtype)
        if sparse is not None:
            assert self.injection is not None
            chosen = self.injection.token_mask(queries.shape[1], queries.device)
            queries = queries + chosen[None, :, None] * sparse.to(queries.dtype)[:, None]
        return queries, keys
