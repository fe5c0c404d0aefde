"""What is wrong with a data set on disk, told all at once."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 5


class DataError(ValueError):
    """A data set cannot be read; lists all problems at once."""


def refuse(problems: Sequence[str], where: str) -> None:
    """Raise where there are problems.

    Args:
        problems: one sentence each; the first few are shown, the rest is counted.
        where: the data set and its part.

    Raises:
        DataError: where ``problems`` is not empty.
    """
    if not problems:
        return
    shown = "\n".join(f"  - {p}" for p in problems[:SHOWN])
    more = f"\n  ... and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    raise DataError(f"{len(problems)} problem(s) in {where}:\n{shown}{more}")
