"""Shape checks at public module boundaries."""

from __future__ import annotations

from typing import Any


def check_shape(tensor: Any, shape: str, name: str = "tensor", **sizes: int) -> dict[str, int]:
    """Check a tensor against named axes and return their sizes.

    A letter that repeats must have one size; a number is that size; ``...`` in front stands for
    any number of leading axes.

    Args:
        tensor: anything with ``.shape``.
        shape: axes separated by spaces, e.g. ``"B T C H W"`` or ``"B T 3 S S"``.
        name: how the message calls the tensor.
        **sizes: sizes already known, e.g. ``C=256``.

    Returns:
        The size of each named axis, those of ``sizes`` included.

    Raises:
        ValueError: if the rank or a size differs; the message names expected and got.

    Example:
        >>> import numpy as np
        >>> check_shape(np.zeros((2, 5, 64)), "B T C", C=64)
        {'C': 64, 'B': 2, 'T': 5}
    """
    axes = shape.split()
    got = tuple(int(size) for size in tensor.shape)
    sides = got
    if axes[0] == "...":
        axes = axes[1:]
        sides = got[len(got) - len(axes) :] if len(got) >= len(axes) else got
    found = dict(sizes)
    fits = len(sides) == len(axes)
    for axis, size in zip(axes, sides, strict=False):
        expected = int(axis) if axis.isdigit() else found.setdefault(axis, size)
        fits = fits and expected == size
    if not fits:
        known = ", ".join(f"{axis} = {size}" for axis, size in sizes.items())
        where = f" with {known}" if known else ""
        raise ValueError(f"{name} must have shape ({', '.join(shape.split())}){where}, got {got}")
    return found
