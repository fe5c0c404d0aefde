"""Step-wise injection (paper, section 3.3) into the two-way transformers of transformers.

Their layers are called with keywords and have an axis for several prompts of an image behind that
of the batch; it has length one here. Hooks add prompts in front of each site, as
:class:`~auralsam2.models.backbones.sam2.injection.InjectableTwoWayTransformer` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from auralsam2.models.backbones.promptable import TwoWay
from auralsam2.models.injection import SitePrompts, StepwiseInjection

Given = dict[str, Any]


class HookedTwoWay(TwoWay):
    """A two-way transformer of SAM, SAM2 or one of their family, untouched but inside a context.

    Args:
        transformer: of the mask decoder.
        lacking: see :class:`TwoWay`; 1 of SAM, which has no object token.
    """

    def __init__(self, transformer: Any, lacking: int = 0) -> None:
        self.transformer, self.lacking = transformer, lacking

    def __call__(self, image: Tensor, position: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, E, E), (B, C, E, E), (B, K, C) -> (B, K, C), (B, N, C)."""
        queries, keys = self.transformer(
            point_embeddings=tokens[:, None, self.lacking :],
            image_embeddings=image,
            image_positional_embeddings=position,
            attention_similarity=None,
        )
        return self._with_lacking(queries[:, 0]), keys[:, 0]

    def watch(self, before: Callable[[Tensor, Tensor, Tensor], None]) -> RemovableHandle:
        """See :meth:`TwoWay.watch`."""

        def hook(module: nn.Module, args: Any, given: Given) -> None:
            tokens = self._with_lacking(given["point_embeddings"][:, 0])
            code = given["image_positional_embeddings"].expand(len(tokens), -1, -1, -1)
            before(given["image_embeddings"], code, tokens)

        return self.transformer.register_forward_pre_hook(hook, with_kwargs=True)

    @contextmanager
    def skipped(self) -> Iterator[None]:
        """See :meth:`TwoWay.skipped`."""

        def same(**given: Any) -> tuple[Tensor, Tensor]:
            keys = given["image_embeddings"].flatten(2).transpose(1, 2)
            return given["point_embeddings"], keys[:, None]

        self.transformer.forward = same
        try:
            yield
        finally:
            del self.transformer.forward

    @contextmanager
    def injecting(
        self, prompts: Sequence[SitePrompts], injection: StepwiseInjection
    ) -> Iterator[None]:
        """See :meth:`TwoWay.injecting`.

        Raises:
            ValueError: where a token is chosen that the decoder has not.
        """
        if self.lacking and "object" in injection.tokens:
            raise ValueError(
                "injection: tokens has 'object', and this backbone's mask decoder has no object "
                "token; choose of mask and iou"
            )
        with super().injecting(prompts, injection), ExitStack() as hooks:
            if any(p.sparse is not None or p.dense is not None for p in prompts):
                self._hook(_Sites(prompts, injection, self.lacking), hooks)
            yield

    def _hook(self, sites: _Sites, hooks: ExitStack) -> None:
        found, last = self.transformer, len(self.transformer.layers)
        handles = [
            layer.register_forward_pre_hook(sites.before_block(site), with_kwargs=True)
            for site, layer in enumerate(found.layers)
        ]
        handles += [
            found.final_attn_token_to_image.register_forward_pre_hook(
                sites.before_final(last), with_kwargs=True
            ),
            # Queries and keys pass the final attention by, and have the prompts of its site too.
            found.layer_norm_final_attn.register_forward_pre_hook(
                lambda _, args: (sites.queries(last, args[0]),)
            ),
            found.register_forward_hook(
                lambda _, args, output: (output[0], sites.keys(last, output[1]))
            ),
        ]
        for handle in handles:
            hooks.callback(handle.remove)

    def _with_lacking(self, tokens: Tensor) -> Tensor:
        return F.pad(tokens, (0, 0, self.lacking, 0))


class _Sites:
    """What is added where; queries are (B, 1, K, C), keys (B, 1, N, C)."""

    def __init__(
        self, prompts: Sequence[SitePrompts], injection: StepwiseInjection, lacking: int
    ) -> None:
        self.prompts, self.injection, self.lacking = prompts, injection, lacking
        # What the first site does to the positional code of the tokens, if anything.
        self.moved: Tensor | None = None

    def queries(self, site: int, queries: Tensor) -> Tensor:
        sparse = self.prompts[site].sparse if site < len(self.prompts) else None
        if sparse is None:
            return queries
        count = queries.shape[2] + self.lacking
        chosen = self.injection.token_mask(count, queries.device)[self.lacking :, None]
        return queries + chosen * sparse.to(queries.dtype)[:, None, None]

    def keys(self, site: int, keys: Tensor) -> Tensor:
        dense = self.prompts[site].dense if site < len(self.prompts) else None
        return keys if dense is None else keys + dense.to(keys.dtype)[:, None]

    def before_block(self, site: int) -> Callable[..., Any]:
        def hook(layer: nn.Module, args: tuple[Any, ...], given: Given) -> Any:
            queries, position = self.queries(site, given["queries"]), given["query_point_embedding"]
            if site == 0:
                code = self.injection.token_position(position, queries)
                self.moved = None if code is position else code - position
            keys = self.keys(site, given["keys"])
            changed = dict(queries=queries, keys=keys, query_point_embedding=self._moved(position))
            return args, given | changed

        return hook

    def before_final(self, site: int) -> Callable[..., Any]:
        """The attention is given sums with positional codes."""

        def hook(attention: nn.Module, args: tuple[Any, ...], given: Given) -> Any:
            changed = {name: self.keys(site, given[name]) for name in ("key", "value")}
            return args, given | changed | dict(
                query=self._moved(self.queries(site, given["query"]))
            )

        return hook

    def _moved(self, tokens: Tensor) -> Tensor:
        return tokens if self.moved is None else tokens + self.moved
