"""Log at every validation how much the decoder's attention gains inside the true masks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from auralsam2.engine.distributed import unwrapped
from auralsam2.models.decoder_rows import DecoderCalls, coverage
from auralsam2.models.injection import TOKENS
from auralsam2.registry import HOOKS

SCALARS = ("dilution/block_1", "dilution/block_2", "dilution/final")


@HOOKS.register_module()
class DilutionHook(Hook):
    """Scalars `SCALARS`: in-mask gain of the mask tokens at each decoder site, a mean over frames.

    For models whose decoder can be looked into (`decoder_rows`); it costs the attention weights of
    three small layers a frame. docs/dilution.md has the definition.
    """

    def __init__(self) -> None:
        self._probing = ExitStack()
        self._sums = torch.zeros(len(SCALARS), dtype=torch.float64)
        self._counts = torch.zeros(len(SCALARS), dtype=torch.float64)
        self._readings: list[list[Any]] = []

    def before_val_epoch(self, runner: Runner) -> None:
        """Start reading.

        Raises:
            ValueError: where the model's decoder cannot be looked into.
        """
        from auralsam2.models.backbones.sam2.probe import probing

        self._sums.zero_()
        self._counts.zero_()
        _rows(runner.model, torch.zeros(1, 1, 1, 1))
        transformer = unwrapped(runner.model).backbone.network.two_way
        self._readings = self._probing.enter_context(probing(transformer))

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[Any] | None = None,
    ) -> None:
        """Compare what was read with the masks of the batch."""
        masks = data_batch["masks"]
        calls = _rows(runner.model, masks)
        for site, readings in enumerate(self._readings):
            for rows, reading in zip(calls, readings, strict=True):
                cover = coverage(rows, masks, round(reading.keys.shape[1] ** 0.5))
                maps = reading.attention[:, :, TOKENS["mask"]]
                gain = in_mask_gain(maps, cover.to(maps.device)).mean(dim=(1, 2))
                known = gain[~gain.isnan()].double().cpu()
                self._sums[site] += known.sum()
                self._counts[site] += len(known)
            readings.clear()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Stop reading and write the scalars."""
        self._probing.close()
        gains = self._sums / self._counts
        shown = {
            name: float(gain)
            for name, gain, count in zip(SCALARS, gains, self._counts, strict=True)
            if count
        }
        if shown:
            runner.visualizer.add_scalars(shown, step=runner.epoch)


def _rows(model: Any, masks: Tensor) -> DecoderCalls:
    plain = unwrapped(model)
    try:
        if not hasattr(plain, "decoder_rows"):
            raise ValueError(f"{type(plain).__name__} has no decoder_rows")
        rows: DecoderCalls = plain.decoder_rows(masks)
    except ValueError as error:
        raise ValueError(f"DilutionHook: {error}; take it out of runtime.hooks") from error
    return rows


def in_mask_gain(attention: Tensor, coverage: Tensor) -> Tensor:
    """(m - r) / (1 - r) of `analysis.dilution.attention.in_mask_gain`, on tensors.

    Args:
        attention: (B, ..., N), sums to one over N.
        coverage: (B, N) share of each key position that the true mask covers.

    Returns:
        (B, ...), NaN where a mask is empty or fills the frame.
    """
    cover = coverage.reshape(len(coverage), *(1,) * (attention.dim() - 2), -1).to(attention)
    share = cover.mean(dim=-1)
    gain = ((attention * cover).sum(dim=-1) - share) / (1 - share)
    defined = (share > 0) & (share < 1)
    return torch.where(defined, gain, torch.full_like(gain, float("nan")))
