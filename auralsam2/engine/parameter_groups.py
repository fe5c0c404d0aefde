"""Parameters by what the optimizer is told of them: rates of parts, and a group for all alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

Group = dict[str, Any]


def merged(groups: Sequence[Group]) -> tuple[list[Group], list[int]]:
    """Groups with equal options as one, and the index of the first of each.

    Args:
        groups: of an optimizer, or of its state, where ``params`` are numbers.
    """
    found: list[tuple[Group, Group]] = []  # options, and the group
    firsts = []
    for index, group in enumerate(groups):
        options = {key: value for key, value in group.items() if key != "params"}
        for known, first in found:
            if known == options:
                first["params"].extend(group["params"])
                break
        else:
            found.append((options, {**group, "params": list(group["params"])}))
            firsts.append(index)
    return [group for _, group in found], firsts


class ParameterGroups(DefaultOptimWrapperConstructor):
    """mmengine's parameter groups, alike ones merged, those of some parts with rates of their own.

    mmengine makes every parameter a group, and an optimizer takes groups one after the other.

    The schedule multiplies all rates alike, so a part's factor holds in every step (but for the
    rate that ``optim.cosine_to`` falls to, which all parts share). Weight decay is left as it is,
    which mmengine's own ``custom_keys`` would take back from the norms.

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
        self.factors: Mapping[str, float] = self.paramwise_cfg.get("rate_factors", {})
        if self.factors and self.base_lr is None:
            raise ValueError("optim.rate_factors multiply optim.optimizer.lr: state one")

    def add_params(
        self, params: list[Group], module: nn.Module, prefix: str = "", **options: Any
    ) -> None:
        """Fill ``params`` with the groups of a module."""
        super().add_params(params, module, prefix, **options)
        if prefix:
            return  # the recursion's inner calls
        self._set_rates(params, {id(p): name for name, p in module.named_parameters()})
        params[:], _ = merged(params)

    def _set_rates(self, params: Sequence[Group], names: Mapping[int, str]) -> None:
        """Multiply the rates of groups of a parameter each, given names by identity."""
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


class MergeGroupsHook(Hook):
    """Let a run go on that began when every parameter was a group: its groups are merged, too."""

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Merge the groups of the optimizer's state, and what schedulers hold of each."""
        optimizer = checkpoint.get("optimizer")
        if optimizer is None:
            return
        optimizer["param_groups"], firsts = merged(optimizer["param_groups"])
        for scheduler in checkpoint.get("param_schedulers", ()):
            for key in ("base_values", "_last_value"):
                scheduler[key] = [scheduler[key][index] for index in firsts]
