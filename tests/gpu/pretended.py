"""A GPU that is not there: tensors that say ``cuda:0``, hold their numbers on the CPU, and refuse
what a GPU would refuse.

torch's own fake tensors hold no numbers, so that they end at the first ``.item()`` or ``nonzero``
of a loss. These compute: every result can be compared with the CPU's bit for bit, gradients too,
and every wait of the CPU for the device is counted under the line of source that asks for it.

What they cannot show: kernels that a GPU lacks, its rounding, its memory, its speed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
SOURCE = Path(__file__).resolve().parents[2] / "auralsam2"
aten = torch.ops.aten

# The CPU does not go on before the device has answered these: their results are Python's numbers,
# or their shapes hang on values.
WAITING = {
    *("_local_scalar_dense", "equal", "nonzero", "masked_select", "bincount", "is_nonzero"),
    *("_unique2", "unique_dim", "unique_consecutive", "histc"),
}
_MIXING = {"copy_", "_to_copy", "lift_fresh"}
# Where torch takes a kernel that the CPU lacks, what computes the same there.
_OF_THE_CPU = {
    "cudnn_batch_norm": lambda *args: (*aten.native_batch_norm(*args), args[0].new_empty(0))
}
_INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}


_MADE = {
    *("zeros", "new_zeros", "empty", "new_empty", "empty_strided", "new_empty_strided", "full"),
    "empty.memory_format",
}


class DeviceClashError(RuntimeError):
    """What torch refuses on a real GPU."""


class Pretended(Tensor):
    """A tensor of the pretended GPU; ``held`` are its numbers."""

    held: Tensor
    # Whether C++ is told the device, too. It then asks CUDA for streams wherever a gradient is
    # noted, and ends without a driver; without, autocast takes the tensor for one of the CPU.
    to_the_core = False
    # Whether autograd computes: it makes tensors where it takes those of the forward pass for.
    on_the_way_back = False

    @staticmethod
    def __new__(cls, held: Tensor) -> Pretended:
        assert not isinstance(held, Pretended)
        made = Tensor._make_subclass(
            cls,
            held.detach(),
            False,
            dispatch_device=Pretended.to_the_core,
            device_for_backend_keys=GPU,
        )
        made.held = held.detach()
        return made

    device = property(lambda self: GPU)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)

    def __repr__(self) -> str:
        return f"Pretended({self.held!r})"

    # Functions of torch that are written in Python call methods of their arguments, see `_METHODS`.
    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _compute(func, args, kwargs or {})


class _ToHost(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, there: Tensor) -> Tensor:
        return there.held.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return Pretended(gradient)


class _ToDevice(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, here: Tensor) -> Tensor:
        return Pretended(here.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.held if isinstance(gradient, Pretended) else gradient


def _to(func: Any, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``Tensor.to`` in all its forms, where self or other is on the pretended GPU."""
    other = kwargs.pop("other", None)
    if args and isinstance(args[0], Tensor):
        other, args = args[0], args[1:]
    if other is not None:
        device, dtype = other.device, other.dtype
    else:
        kwargs.pop("copy", None)
        device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
    if dtype is not None:
        tensor = _TO(tensor, dtype)
    if device is None or device.type == tensor.device.type:
        return tensor
    if device.type == CPU.type:
        return _to_host(tensor)
    _note("copy to the device")
    return _ToDevice.apply(tensor)


def _to_host(tensor: Tensor) -> Tensor:
    _note("copy to the CPU")
    return _ToHost.apply(tensor)


def _cpu(func: Any, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return _to_host(tensor)


def _refused(func: Any, *args: Any, **kwargs: Any) -> Any:
    raise DeviceClashError(f"{func.__name__} of a tensor on {GPU}: copy it to the CPU first")


def _number(func: Any, tensor: Tensor, *args: Any) -> Any:
    _note("_local_scalar_dense")
    return func(tensor.held, *args)


def _same(func: Any, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return tensor


def _below_the_core(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Methods that ask CUDA for its current device before anything is dispatched."""
    if not Pretended.to_the_core:
        return func(*args, **kwargs)
    flat = tree_flatten((args, kwargs))[0]
    _check(func.__name__, flat)
    if func.__name__ == "nonzero" or any(_is_mask(x) for x in flat[1:]):
        _note("nonzero")
    out = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    return tree_map(lambda x: Pretended(x) if isinstance(x, Tensor) else x, out)


_METHODS: dict[str, Callable[..., Any]] = {
    "cpu": _cpu,
    "cuda": _same,
    "numpy": _refused,
    "__array__": _refused,
    **dict.fromkeys(("item", "tolist", "__float__", "__int__", "__bool__"), _number),
    "__index__": _number,
    **dict.fromkeys(("__getitem__", "__setitem__", "nonzero", "argwhere"), _below_the_core),
    **dict.fromkeys(("__invert__", "contiguous"), _below_the_core),
}


def _new_tensor(func: Any, tensor: Tensor, data: Any, **kwargs: Any) -> Tensor:
    _note("copy to the device")
    return Pretended(func(tensor.held, data, **kwargs))


_METHODS["new_tensor"] = _new_tensor
_TO = Tensor.to


def _to_of_all(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """``Tensor.to`` while a GPU is pretended: the CPU's tensors may be asked to go there."""
    if any(isinstance(x, Pretended) for x in (tensor, *args, *kwargs.values())):
        return _to(_TO, tensor, *args, **kwargs)
    return _TO(tensor, *args, **kwargs)


def _method(name: str, own: Callable[..., Any]) -> Callable[..., Any]:
    func = getattr(Tensor, name)
    return lambda tensor, *args, **kwargs: own(func, tensor, *args, **kwargs)


for _name, _own in _METHODS.items():
    setattr(Pretended, _name, _method(_name, _own))


def _held(x: Any) -> Any:
    if isinstance(x, Pretended):
        return x.held
    return CPU if isinstance(x, torch.device) and x.type == GPU.type else x


def _is_mask(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype in (torch.bool, torch.uint8)


_waits: Counter[str] | None = None


def _note(what: str) -> None:
    """Count a wait under the innermost line of this project's source that leads to it."""
    if _waits is None:
        return
    frame: Any = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith(str(SOURCE)):
        frame = frame.f_back
    line = "elsewhere"
    if frame is not None:
        file = Path(frame.f_code.co_filename).relative_to(SOURCE).as_posix()
        line = f"{file}: {frame.f_code.co_name}"
    _waits[f"{line}: {what}"] += 1


def _check(name: str, flat: list[Any]) -> bool:
    """Refuse tensors of two devices; whether any is on the GPU."""
    tensors = [x for x in flat if isinstance(x, Tensor)]
    there = [x for x in tensors if isinstance(x, Pretended)]
    # Numbers of the CPU go along with a kernel's arguments.
    here = [x for x in tensors if not isinstance(x, Pretended) and x.dim()]
    if not there or not here or name in _MIXING:
        return bool(there)
    indexing = name in {*_INDEXING, "__getitem__", "__setitem__"}
    # Positions may be the CPU's (and are copied), values may not.
    if (
        indexing
        and isinstance(tensors[0], Pretended)
        and not any(map(Tensor.is_floating_point, here))
    ):
        _note("copy to the device")
        return True
    shapes = [tuple(x.shape) for x in tensors]
    raise DeviceClashError(f"{name}: {len(here)} of {len(tensors)} tensors on the CPU; {shapes}")


def _compute(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operation on the numbers that tensors hold, as the device would."""
    if func is torch.ops.prim.device.default:
        return GPU
    name = func._schema.name.removeprefix("aten::")
    flat = tree_flatten((args, kwargs))[0]
    there = _check(name, flat)
    if kwargs.get("device") is not None:
        wanted = torch.device(kwargs["device"]).type == GPU.type
        wanted |= Pretended.on_the_way_back and name in _MADE
        if wanted != there and any(isinstance(x, Tensor) for x in flat):
            _note(f"copy to the {'device' if wanted else 'CPU'}")
        there = wanted
    _check_generators(name, flat, there)
    if there or any(isinstance(x, Pretended) for x in flat):
        masked = name in _INDEXING and any(_is_mask(x) for x in tree_flatten(args[1])[0])
        if name in WAITING or masked:
            _note("nonzero" if masked else name)
    out = _OF_THE_CPU.get(name, func)(*tree_map(_held, args), **tree_map(_held, kwargs))
    known = {id(x.held): x for x in flat if isinstance(x, Pretended)}

    def shown(x: Any) -> Any:
        if not isinstance(x, Tensor) or not there:
            return x
        if (same := known.get(id(x))) is not None:  # changed in place
            assert same.shape == x.shape, f"{name} changes the shape in place"
            return same
        return Pretended(x)

    return tree_map(shown, out)


def _check_generators(name: str, flat: list[Any], there: bool) -> None:
    for x in flat:
        if isinstance(x, torch.Generator) and (x.device.type == GPU.type) != there:
            where = GPU.type if there else CPU.type
            raise DeviceClashError(
                f"{name}: expected a generator of {where}, got one of {x.device.type}"
            )


class _PretendedGPU(TorchDispatchMode):
    # torch asks for a driver before it makes a tensor on a GPU, unless a mode of this kind is on.
    _mode_key = torch._C._TorchDispatchModeKey.FAKE

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return _compute(func, args, kwargs or {})


@contextmanager
def pretended_gpu(autocast: torch.dtype | None = None) -> Iterator[Counter[str]]:
    """Let ``cuda:0`` be there; yields how often which line waits for it.

    Args:
        autocast: type of CUDA's automatic mixed precision. There are no gradients then.
    """
    global _waits
    assert _waits is None, "one at a time"
    _waits = Counter()
    Pretended.to_the_core = autocast is not None
    lifting = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    Tensor.to = _to_of_all
    try:
        with _PretendedGPU(), torch.set_grad_enabled(autocast is None), _autocast(autocast):
            yield _waits
    finally:
        torch._C._set_only_lift_cpu_tensors(lifting)
        Pretended.to_the_core, _waits, Tensor.to = False, None, _TO


@contextmanager
def _autocast(dtype: torch.dtype | None) -> Iterator[None]:
    """``torch.autocast("cuda", dtype)``, which turns itself off where there is no driver."""
    if dtype is None:
        yield
        return
    before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", True)
    torch.set_autocast_dtype("cuda", dtype)
    torch.autocast_increment_nesting()
    try:
        yield
    finally:
        if torch.autocast_decrement_nesting() == 0:
            torch.clear_autocast_cache()
        torch.set_autocast_enabled("cuda", before[0])
        torch.set_autocast_dtype("cuda", before[1])


@contextmanager
def way_back() -> Iterator[None]:
    """Around a call of ``backward``."""
    Pretended.on_the_way_back = True
    try:
        yield
    finally:
        Pretended.on_the_way_back = False


def placed(module: nn.Module) -> nn.Module:
    """Move parameters and buffers of a module to the pretended GPU, those shared once."""
    moved: dict[int, nn.Parameter] = {}
    for part in module.modules():
        for name, own in part._parameters.items():
            if own is None:
                continue
            trained = own.requires_grad and not Pretended.to_the_core
            if id(own) not in moved:
                moved[id(own)] = nn.Parameter(Pretended(own.detach()), requires_grad=trained)
            part._parameters[name] = moved[id(own)]
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = Pretended(buffer)
    return module


def moved(tree: Any) -> Any:
    """Tensors of a tree, moved to the pretended GPU."""
    return tree_map(lambda x: Pretended(x) if isinstance(x, Tensor) else x, tree)


def back(tree: Any) -> Any:
    """Tensors of a tree as the CPU has them, without gradients."""
    return tree_map(lambda x: _held(x.detach()) if isinstance(x, Tensor) else x, tree)
