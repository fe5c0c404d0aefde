"""Messages for a name that nobody knows: what was got, the nearest known one, all known ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 40


def nearest(got: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``got``, ignoring case, or None where none is close."""
    by_lower = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(got.lower(), list(by_lower), n=1, cutoff=0.55)
    return by_lower[matches[0]] if matches else None


def unknown_name(kind: str, got: str, known: Iterable[str]) -> str:
    """Say that ``got`` is no known ``kind``.

    Args:
        kind: what was looked for, e.g. ``"fusion"``.
        got: the name as the user wrote it.
        known: the names that would have worked.

    Returns:
        ``unknown fusion 'CrossAtention'; did you mean 'CrossAttentionFusion'? known: ...``
    """
    names = sorted(known)
    guess = nearest(got, names)
    hint = f"; did you mean {guess!r}?" if guess else ";"
    listed = ", ".join(names[:_SHOWN]) or "(none)"
    if len(names) > _SHOWN:
        listed += f", … ({len(names) - _SHOWN} more)"
    return f"unknown {kind} {got!r}{hint} known: {listed}"
