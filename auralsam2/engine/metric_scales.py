"""How a metric's numbers are to be read: which end is better, where it ends, what it asks.

A run's record says so of each of its metrics, and whoever compares numbers asks the record: no
reader knows a metric by its name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

OBJECT, NULL, AREA = "object", "null", "area"
SUBJECTS = (OBJECT, NULL, AREA)
"""What a metric asks: whether the right thing is segmented; how much is where nothing should be,
which means something in null splits alone; how much is at all, which is false where nothing that
can be seen sounds, and neither good nor bad elsewhere."""


class MetricScale(NamedTuple):
    """How to read a metric."""

    higher_is_better: bool = True  # direction
    # Lowest and highest possible score; None where it has none.
    bounds: tuple[float, float] | None = None
    subject: str = OBJECT  # one of `SUBJECTS`

    @property
    def sign(self) -> int:
        """1 where higher scores are better, -1 where lower ones are."""
        return 1 if self.higher_is_better else -1

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest possible score, infinite where it has none."""
        return self.bounds or (-math.inf, math.inf)

    def to_json(self) -> dict[str, Any]:
        """Return what a record holds."""
        return {**self._asdict(), "bounds": None if self.bounds is None else list(self.bounds)}

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> MetricScale:
        """Read what a record holds."""
        bounds = None if held["bounds"] is None else (held["bounds"][0], held["bounds"][1])
        return cls(held["higher_is_better"], bounds, held["subject"])

    def __str__(self) -> str:
        """Say it in a message."""
        ends = "" if self.bounds is None else f", from {self.bounds[0]:g} to {self.bounds[1]:g}"
        return f"{'higher' if self.higher_is_better else 'lower'} is better{ends}"


_OPTIONAL = ("bounds", "subject")
_SHARE = (0.0, 1.0)
_OLDER = {
    "J": MetricScale(bounds=_SHARE),
    "F": MetricScale(bounds=_SHARE),
    "S": MetricScale(higher_is_better=False, bounds=_SHARE, subject=NULL),
    "A": MetricScale(higher_is_better=False, bounds=_SHARE, subject=AREA),
}


def scale_of_older(name: str) -> MetricScale:
    """Return how a metric is read of which no record says anything.

    Records had no scales at first. Code knew its own four metrics then, which may have a prefix,
    and took every other for one whose higher scores are better.
    """
    return _OLDER.get(name.rpartition("/")[2], MetricScale())


def scales_of(metrics: Iterable[Any]) -> dict[str, MetricScale]:
    """Return name -> how to read it, of built metrics.

    A metric has a name and a direction; one that is no `ClipMetric` need not state the rest.

    Raises:
        ValueError: where a class states bounds that are none, or an unknown subject; all problems
            at once.
    """
    scales, problems = {}, []
    for metric in metrics:
        stated = {key: getattr(metric, key) for key in _OPTIONAL if hasattr(metric, key)}
        scale = MetricScale(bool(metric.higher_is_better), **stated)
        scales[metric.name] = scale
        problems += [f"metric {metric.name}: {problem}" for problem in _problems(scale)]
    if problems:
        raise ValueError("\n".join(problems))
    return scales


def better(metrics: Iterable[Any], name: str, key: str = "evaluation.select_by") -> str:
    """Return mmengine's rule of what is better in one of several metrics, named under ``key``.

    Raises:
        ValueError: where there is no such metric.
    """
    scales = scales_of(metrics)
    if name not in scales:
        raise ValueError(f"{key} got {name!r}; evaluation.metrics give: {', '.join(scales)}")
    return "greater" if scales[name].higher_is_better else "less"


def is_scale(held: Any) -> bool:
    """Return whether a record's entry is a scale."""
    if not isinstance(held, dict) or held.keys() != set(MetricScale._fields):
        return False
    return isinstance(held["higher_is_better"], bool) and not list(
        _problems(MetricScale(True, held["bounds"], held["subject"]))
    )


def _problems(scale: MetricScale) -> Iterable[str]:
    if scale.subject not in SUBJECTS:
        yield f"subject got {scale.subject!r}; known: {', '.join(SUBJECTS)}"
    if scale.bounds is None:
        return
    ends = list(scale.bounds) if isinstance(scale.bounds, (list, tuple)) else []
    numbers = [e for e in ends if isinstance(e, (int, float)) and math.isfinite(e)]
    if len(ends) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        yield f"bounds got {scale.bounds!r}; wanted (lowest, highest) score, or None"
