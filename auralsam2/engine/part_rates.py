"""Learning rates of parts of the model: the optimizer's rate times a factor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn


class PartRates(DefaultOptimWrapperConstructor):
    """mmengine's parameter groups, those of some parts with another learning rate.

    The schedule multiplies all rates alike, so the factor holds in every step. Weight decay is
    left as it is.

    Args:
        optim_wrapper_cfg: as for mmengine's constructor.
        paramwise_cfg: likewise, and ``rate_factors``: factor by name of a part as
            ``named_modules`` has it, e.g. ``{"audio_encoder": 0.1}``; of several that hold a
            parameter, the longest name counts.

    Raises:
        ValueError: when called with a model in which nothing of a named part is trained, or
            without a learning rate of the optimizer's own.
    """

    def __init__(
        self, optim_wrapper_cfg: dict[str, Any], paramwise_cfg: dict[str, Any] | None = None
    ) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        self.factors: Mapping[str, float] = self.paramwise_cfg.pop("rate_factors", {})
        if self.base_lr is None:
            raise ValueError("optim.rate_factors multiply optim.optimizer.lr: state one")

    def add_params(
        self, params: list[dict[str, Any]], module: nn.Module, prefix: str = "", **options: Any
    ) -> None:
        """Fill ``params`` with a group a parameter, and set the rates once all are there."""
        super().add_params(params, module, prefix, **options)
        if prefix:
            return  # the recursion's inner calls
        names = {id(p): name for name, p in module.named_parameters()}
        unused = dict(self.factors)
        for group in params:
            (parameter,) = group["params"]
            name = names[id(parameter)]
            parts = [part for part in self.factors if f"{name}.".startswith(f"{part}.")]
            if parts:
                part = max(parts, key=len)
                group["lr"] = self.base_lr * self.factors[part]
                unused.pop(part, None)
        if unused:
            trained = sorted({names[id(group["params"][0])].split(".")[0] for group in params})
            raise ValueError(
                f"optim.rate_factors: nothing is trained in {', '.join(map(repr, unused))}; "
                f"trained here: {', '.join(trained)} (a frozen part wants frozen=False, too)"
            )
