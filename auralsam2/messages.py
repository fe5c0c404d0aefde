"""What users are told: errors that list problems or speak to a reader, names nobody knows."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

_SAID: set[str] = set()
_SHOWN = 40


class ProblemsError(ValueError):
    """What cannot be used, every problem told at once.

    Attributes:
        source: what is meant where the raiser does not say it; subclasses set it.
        problems: one sentence each.
    """

    source: ClassVar[str] = "input"

    def __init__(self, problems: Iterable[str], source: str | None = None) -> None:
        self.problems = list(problems)
        super().__init__(self.problems, source or self.source)  # so that it can be pickled

    def __str__(self) -> str:
        return listed(*self.args)


class UnfitModelError(ValueError):
    """A model that has no numbers of the kind that is asked for, whatever its weights."""


def listed(problems: Sequence[str], source: str, shown: int | None = None) -> str:
    """Return a line that counts a source's problems, and one for each of the first ``shown``."""
    lines = [f"{source}: {len(problems)} problem{'s' * (len(problems) != 1)}"]
    lines += [f"  - {problem}" for problem in problems[:shown]]
    if shown is not None and len(problems) > shown:
        lines.append(f"  ... and {len(problems) - shown} more")
    return "\n".join(lines)


def first_of(names: Iterable[object], shown: int) -> str:
    """Return the first ``shown`` names, and how many more there are: ``a, b and 3 more``."""
    every = [str(name) for name in names]
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more


def is_message(error: BaseException) -> bool:
    """Return whether an error speaks to the user: a bare key or an index is a bug of ours."""
    if not isinstance(error, (ValueError, LookupError, OSError, ImportError)):
        return False
    if isinstance(error, IndexError):
        return False
    if isinstance(error, LookupError):
        return bool(error.args) and isinstance(error.args[0], str) and " " in error.args[0]
    return bool(str(error))


def message(error: BaseException) -> str:
    """Return what an error says: a `KeyError`'s own text would be quoted."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def warn_once(logger: str, text: str, key: str = "") -> None:
    """Warn in the name of a logger, unless this process has said ``key``, or the text, before."""
    if (key or text) not in _SAID:
        _SAID.add(key or text)
        logging.getLogger(logger).warning("%s", text)


def nearest(got: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``got``, ignoring case, or None where none is close."""
    by_lower = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(got.lower(), list(by_lower), n=1, cutoff=0.55)
    return by_lower[matches[0]] if matches else None


def unknown_values(**given: tuple[object, Collection[str]]) -> list[str]:
    """Say of each argument, given as its value and the known ones, that it is none of them."""
    return [
        f"unknown {name}={value!r}; known: {', '.join(map(str, known))}"
        for name, (value, known) in given.items()
        if value not in known
    ]


def too_small(**given: tuple[float | None, float]) -> list[str]:
    """Say of each argument, given as its value and the least that may be, that it is less."""
    return [
        f"{name} must be at least {least}, got {value}"
        for name, (value, least) in given.items()
        if value is not None and value < least
    ]


def unnamed(**nodes: object) -> list[str]:
    """Say of each node of a component that must not be None that it is."""
    return [f"{name} must name a component, got None" for name in nodes if nodes[name] is None]


def unknown_name(
    kind: str, got: str, known: Iterable[str], shown: Iterable[str] | None = None
) -> str:
    """Say that ``got`` is no known ``kind``.

    Args:
        kind: what was looked for, e.g. ``"fusion"``.
        got: the name as the user wrote it.
        known: the names that would have worked.
        shown: those of them that are listed; default: all.

    Returns:
        ``unknown fusion 'CrossAtention'; did you mean 'CrossAttentionFusion'? known: ...``
    """
    known = list(known)
    names = sorted(shown or known)
    guess = nearest(got, sorted(known))
    hint = f"; did you mean {guess!r}?" if guess else ";"
    listed = ", ".join(names[:_SHOWN]) or "(none)"
    if len(names) > _SHOWN:
        listed += f", … ({len(names) - _SHOWN} more)"
    return f"unknown {kind} {got!r}{hint} known: {listed}"
