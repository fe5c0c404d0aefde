"""Keep training checkpoints readable with ``torch.load(weights_only=True)``."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from auralsam2.registry import HOOKS

PLAIN = (bool, int, float, str, type(None))


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Leave mmengine's log histories out of checkpoints.

    mmengine 0.10 pickles each history with references to its own methods, which a safe loader
    could only admit by admitting ``getattr``, that is, everything. Histories only smooth the log
    lines; counters, best scores and all tensors stay.
    """

    priority = "VERY_LOW"

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Reduce the message hub to plain values."""
        hub = checkpoint.get("message_hub", {})
        info = hub.get("runtime_info", {})
        checkpoint["message_hub"] = {
            "log_scalars": {},
            "runtime_info": {k: v for k, v in info.items() if _is_plain(v)},
            "resumed_keys": {},
        }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):  # of the epochs whose checkpoints are kept
        return all(isinstance(item, PLAIN) for item in value)
    return isinstance(value, PLAIN)
