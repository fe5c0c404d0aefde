"""How much memory a training step takes, found without a GPU and without its memory.

The step runs on tensors that have shapes and no numbers (torch's ``FakeTensorMode``); a dispatch
mode counts the bytes of those that are alive. What losses keep hangs on numbers, so they alone are
computed for real, on random ones. Not seen is what lies outside of tensors: work space of kernels,
the CUDA context (about half a gigabyte), what an allocator keeps of memory that was freed. Nor what
a frozen encoder of transformers takes while it hears: its front end wants numbers.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeCopyMode,
    FakeTensorMode,
    unset_fake_temporarily,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map_only

from auralsam2.engine.evaluate import build_model
from auralsam2.engine.splits import asked_hearing
from auralsam2.models import linear
from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.models.methods.base import ClipBatch
from auralsam2.registry import MODELS, OPTIMIZERS

GIGABYTE = 2**30
CARDS = (16, 24, 48, 80)
"""Memory of usual GPUs, in gigabytes."""
_LOSSES = ("mask_loss", "contrastive_loss")


class StepMemory(NamedTuple):
    """Bytes of a training step."""

    weights: int  # parameters and buffers, frozen ones too
    optimizer: int  # its state, and gradients that are summed over batches
    kept: int  # what is alive between forward and backward pass beside those: activations
    peak: int  # of all together

    def fits(self, gigabytes: float) -> bool:
        """Whether a GPU suffices, a tenth and the CUDA context left to what is not seen."""
        return self.peak < (0.9 * gigabytes - 0.5) * GIGABYTE


def forecast_table(cfg: Config) -> dict[tuple[str, str], str]:
    """Cells by row and column: a step on a GPU, in either precision, with and without checkpoints.

    Raises:
        ValueError: where a method's step hangs on numbers outside of its losses.
    """
    cells: dict[tuple[str, str], str] = {}
    parts = getattr(MODELS.lookup(cfg.model["type"]), "checkpointed", ())
    ways = {"as stated": None} if not parts else {"kept": (), "computed again": parts}
    for said, checkpointed in ways.items():
        changed = Config(cfg.to_dict())
        if checkpointed is not None:
            changed.model.gradient_checkpointing = checkpointed
        for name, amp in (("float32", None), ("bfloat16", "bfloat16")):
            found, row = forecast(changed, gpu=True, amp=amp), f"{name}, activations {said}"
            held = found.weights + found.optimizer
            for column, size in {"weights": held, "kept": found.kept, "peak": found.peak}.items():
                cells[row, f"{column} GiB"] = f"{size / GIGABYTE:.1f}"
            fits = [str(card) for card in CARDS if found.fits(card)]
            cells[row, "GPUs of GB"] = ", ".join(fits) or "none"
    return cells


def forecast(cfg: Config, *, gpu: bool, amp: str | None = None, num_frames: int = 5) -> StepMemory:
    """Forecast the memory of a step of a config, once its optimizer has a state.

    Args:
        cfg: a loaded config of a method with AuralSAM2's losses; weights are not read, so let its
            parts start at random.
        gpu: attention and norms as on a GPU: dropout of attention weights needs no copy of them
            there, and norms compute in single precision under autocast.
        amp: ``bfloat16`` or ``float16``, in place of ``optim.amp``.
        num_frames: T of every clip.

    Raises:
        ValueError: where the step hangs on numbers outside of its losses.
    """
    try:
        return _forecast(cfg, gpu, amp, num_frames)
    except (DataDependentOutputException, DynamicOutputShapeException) as error:
        raise ValueError(
            f"no forecast for {cfg.model['type']}: what its step computes hangs on numbers "
            f"({error.func}); auralsam2 benchmark measures it"
        ) from error


def _forecast(cfg: Config, gpu: bool, amp: str | None, num_frames: int) -> StepMemory:
    model: Any = build_model(cfg).train()
    losses = {name: getattr(model, name, None) for name in _LOSSES}
    model.feature_cache = None
    for ear in (part for part in model.modules() if isinstance(part, TransformersEar)):
        _say_nothing(ear)
    for name, loss in losses.items():
        setattr(model, name, None if loss is None else _ForReal(loss))
    own = {id(model.generator): model.generator, **{id(x): x for x in losses.values()}}
    live = LiveBytes()
    with ExitStack() as modes:
        fake = modes.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        with FakeCopyMode(fake):
            model = copy.deepcopy(model, own)
        modes.enter_context(live)
        live.count(model.parameters())
        live.count(model.buffers())
        weights = live.now
        held = _optimizer_tensors(cfg, model)
        optimizer = live.now - weights
        batch = _batch(cfg, num_frames)
        modes.enter_context(_as_on_gpu(amp) if gpu else nullcontext())
        precision = getattr(torch, amp or "float32")
        with torch.autocast("cpu", dtype=precision, enabled=amp is not None):
            loss = sum(model(mode="loss", **batch).values())
        kept = live.now - weights - optimizer
        loss.backward()
        del held
    return StepMemory(weights, optimizer, kept, live.peak)


def _say_nothing(ear: TransformersEar) -> None:
    """Let an encoder answer with zeros, as it cannot hear sounds that have no numbers."""
    if not ear.frozen:
        raise ValueError(
            f"no forecast for a tuned {type(ear).__name__}: its front end wants numbers; "
            "auralsam2 benchmark measures it"
        )
    sizes = ear.tokens, ear.out_channels
    ear.hear = lambda heard: heard.new_zeros(*heard.shape[:2], *sizes)  # type: ignore[method-assign]


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of tensors that are made while it is on, until they are gone.

    Attributes:
        now: bytes that are alive.
        peak: the most that were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._alive: set[int] = set()

    def count(self, values: Any) -> None:
        """Count tensors that are there already."""
        for value in tree_iter(list(values)):
            if isinstance(value, Tensor):
                self._add(value)

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self._alive:
            self._alive.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.now -= size

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do what is asked for, and count what comes out."""
        made = func(*args, **(kwargs or {}))
        self.count([made])
        return made


@contextmanager
def _as_on_gpu(amp: str | None) -> Iterator[None]:
    """Attention without a copy of its weights; norms in single precision under autocast.

    Replaced are functions for as long as the step lasts: what a backward pass computes again calls
    them too. What this CPU would compute by a library of its own goes torch's way, as on a GPU.
    """
    attention, norm = F.scaled_dot_product_attention, F.layer_norm

    def without_dropout(*args: Any, dropout_p: float = 0.0, **options: Any) -> Tensor:
        return attention(*args, **options)

    def in_single_precision(tokens: Tensor, *args: Any, **options: Any) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return norm(tokens.float(), *args, **options)

    with ExitStack() as replaced:
        replaced.enter_context(patch.object(F, "scaled_dot_product_attention", without_dropout))
        replaced.enter_context(patch.object(linear, "prefers_onednn", lambda: False))
        if amp is not None:
            replaced.enter_context(patch.object(F, "layer_norm", in_single_precision))
        yield


class _ForReal(nn.Module):
    """A loss on random numbers in the shapes of its inputs; its gradients have no numbers."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.compute = loss.__call__

    def forward(self, *inputs: Any) -> dict[str, Tensor]:
        """One scalar, under a name of the loss's own."""
        tensors = [x for x in tree_iter(inputs) if isinstance(x, Tensor)]
        return {f"loss_{id(self)}": _Bridge.apply(self.compute, inputs, *tensors)}


class _Bridge(torch.autograd.Function):
    """From tensors without numbers to a loss with some, and back."""

    @staticmethod
    def forward(ctx: Any, compute: Any, inputs: Any, *tensors: Tensor) -> Tensor:
        ctx.shapes = [(x.shape, x.dtype) if x.requires_grad else None for x in tensors]
        with unset_fake_temporarily(), torch.enable_grad():
            ctx.loss = sum(compute(*tree_map_only(Tensor, _random, inputs)).values())
        return torch.zeros(())

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> Any:
        with unset_fake_temporarily():
            ctx.loss.backward()
        ctx.loss = None
        shapes = (x if x is None else torch.zeros(x[0], dtype=x[1]) for x in ctx.shapes)
        return None, None, *shapes


def _random(like: Tensor) -> Tensor:
    """Small numbers where a gradient is wanted, else zeros and ones; every frame is supervised."""
    shape, dtype = tuple(like.shape), like.dtype
    if dtype is torch.bool:
        return torch.ones(shape, dtype=dtype)
    if like.requires_grad:
        return (0.1 * torch.randn(shape)).requires_grad_()
    return (torch.rand(shape) > 0.5).to(dtype)


def _optimizer_tensors(cfg: Config, model: nn.Module) -> list[Tensor]:
    """The optimizer's state, and gradients where they are summed over batches."""
    trained = [p for p in model.parameters() if p.requires_grad]
    copies = _state_per_weight(cfg)
    if cfg.optim.accumulate > 1:
        for p in trained:
            p.grad = torch.zeros_like(p)
    return [torch.zeros_like(p) for p in trained for _ in range(copies)]


def _state_per_weight(cfg: Config) -> int:
    """How many numbers an optimizer keeps of every weight, found by a step on a vector."""
    with unset_fake_temporarily():
        weights = nn.Parameter(torch.zeros(64, 64))
        weights.grad = torch.ones_like(weights)
        optimizer: Any = OPTIMIZERS.build(cfg.optim.optimizer.to_dict(), params=[weights])
        optimizer.step()
    kept = (x for x in tree_iter(optimizer.state_dict()["state"]) if isinstance(x, Tensor))
    return sum(x.numel() for x in kept) // weights.numel()


def _batch(cfg: Config, num_frames: int) -> dict[str, Any]:
    """A batch of the config's size, in which nothing is seen or heard."""
    clips, side = cfg.data.batch_size, cfg.data.image_size
    shape = clips, num_frames
    batch = ClipBatch(
        frames=torch.zeros(*shape, 3, side, side, dtype=torch.uint8),
        log_mel=torch.zeros(*shape, *asked_hearing(cfg.model).shape),
        masks=torch.ones(*shape, side, side, dtype=torch.uint8),
        supervised=torch.ones(shape, dtype=torch.bool),
        clip=[f"clip{i}" for i in range(clips)],
    )
    return batch._asdict()
