"""Memory that ran out: how that is told from other errors, and what then takes less of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config

from auralsam2.registry import MODELS
from auralsam2.signature import parameters_of

_MESSAGES = ("out of memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")


class OutOfMemoryError(OSError):
    """A run needs more memory than there is; the message names what takes less."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that memory ran out, on a GPU or on the host."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, OSError)) and any(m in text for m in _MESSAGES)


@contextmanager
def telling_what_takes_less(cfg: Config, on_gpu: bool) -> Iterator[None]:
    """Answer memory that runs out within by what of a config would take less.

    Raises:
        OutOfMemoryError: in place of what torch, CUDA or Python raise.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        switches = "; ".join(what_takes_less(cfg, on_gpu))
        raise OutOfMemoryError(
            f"out of memory ({said}): what takes less, most effective first: {switches}"
        ) from error


def what_takes_less(cfg: Config, on_gpu: bool) -> Iterator[str]:
    """Settings that take less memory than those of a config, in the order of their effect."""
    size, steps = cfg.data.batch_size, cfg.optim.accumulate
    if size > 1:
        yield f"data.batch_size=1 optim.accumulate={size * steps} (a step sees as many clips)"
    known = parameters_of(MODELS.lookup(cfg.model["type"])).known
    if "gradient_checkpointing" in known and (parts := _not_checkpointed(cfg.model, known)):
        yield f"model.gradient_checkpointing={parts} (the same gradients, for time)"
    if on_gpu and cfg.optim.amp is None:
        yield "optim.amp=bfloat16"
    if (side := cfg.data.image_size) > 256:
        yield f"data.image_size={side // 2} (other scores)"
    if not on_gpu and cfg.model.get("feature_cache_mb"):
        yield "model.feature_cache_mb=0"
    yield "a machine with more memory" if not on_gpu else "a GPU with more memory"


def _not_checkpointed(model: Any, known: Any) -> str:
    """What to state where not all that can be is checkpointed; empty where it is."""
    stated = model.get("gradient_checkpointing", known["gradient_checkpointing"].default)
    if isinstance(stated, bool):
        return "" if stated else "true"
    parts = getattr(MODELS.lookup(model["type"]), "checkpointed", ())
    return ",".join(parts) if set(parts) - set(stated) else ""
