"""Names that a caller asks for, checked before any run is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auralsam2.messages import unknown_name


def name_problems(kind: str, asked: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """Return what is wrong with a list of names.

    Args:
        kind: what they are names of, e.g. ``"cell"``.
        asked: the names; None for all.
        known: the names that would do.

    Returns:
        One problem for every unknown name, with the known ones; one for a single text, whose
        letters would be taken for names, and for a list of none.
    """
    if asked is None:
        return []
    if isinstance(asked, str):
        return [f"{kind}s must be a list of names, got the text {asked!r}; write [{asked!r}]"]
    listed = list(known)
    if not asked:
        return [f"name one {kind} at least; known: {', '.join(listed)}"]
    return [unknown_name(kind, name, listed) for name in asked if name not in listed]
