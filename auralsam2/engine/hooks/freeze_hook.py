"""Leave a part of a model as it is for the first epochs, while new parts learn to use it."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from auralsam2.engine.distributed import unwrapped
from auralsam2.registry import HOOKS


@HOOKS.register_module()
class FreezeHook(Hook):
    """No gradient for a part's parameters in the first epochs; its batch norms go on counting.

    Between epochs the parameters are free again, so that checkpoints hold them.

    Args:
        part: as ``named_modules`` calls it, e.g. ``image_encoder``.
        epochs: so many, from the first on.

    Raises:
        ValueError: where ``epochs`` is negative; at the start of training where the model has no
            such part, or one of which nothing is trained.
    """

    def __init__(self, part: str, epochs: int) -> None:
        if epochs < 0:
            raise ValueError(f"FreezeHook: epochs must be at least 0, got {epochs}")
        self.part, self.epochs = part, epochs

    def before_train(self, runner: Any) -> None:
        """Note what of the part is trained."""
        model = unwrapped(runner.model)
        parts = dict(model.named_children())
        module = dict(model.named_modules()).get(self.part)
        if module is None:
            raise ValueError(f"FreezeHook: no part {self.part!r}; the model has {', '.join(parts)}")
        self._parameters = [p for p in module.parameters() if p.requires_grad]
        if not self._parameters:
            raise ValueError(
                f"FreezeHook: {self.part!r} is frozen in all epochs; leave the hook out"
            )

    def before_train_epoch(self, runner: Any) -> None:
        """Take gradients from it while it is early."""
        self._let(trained=runner.epoch >= self.epochs)

    def after_train_epoch(self, runner: Any) -> None:
        """Give them back before a checkpoint leaves out what is frozen."""
        self._let(trained=True)

    def _let(self, trained: bool) -> None:
        for parameter in self._parameters:
            parameter.requires_grad_(trained)
