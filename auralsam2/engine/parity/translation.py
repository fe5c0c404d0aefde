"""AL-Ref-SAM2's parsers of answers and SAM4AVS' points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from auralsam2.engine.parity.compare import Row, equal
from auralsam2.engine.parity.fixtures import Expected
from auralsam2.models.methods.answers import box_of_answer, frames_of_answer
from auralsam2.models.methods.similarity_points import (
    Points,
    dense_points,
    peak_points,
    similarity_map,
    top_points,
)

# Whose names may go on with "_" and a threshold.
RULES: dict[str, Callable[..., Points]] = {
    "top": top_points,
    "peak": partial(peak_points, column_twice=True),
    "dense": dense_points,
}


def check_translation(expected: Expected) -> Iterator[Row]:
    """What parsers make of answers, and points of all three rules."""
    told = expected.facts.get("al_ref_sam2", {})
    for number, case in enumerate(told.get("stage_1", ())):
        yield equal(f"stage_1.{number}", frames_of_answer(case["response"]), case["result"])
    for number, case in enumerate(told.get("stage_2", ())):
        # The released parser gives digits as text, and the number 1 where there are none.
        yield equal(f"stage_2.{number}", box_of_answer(case["response"]), int(case["result"]))
    if "sam4avs" in expected.facts:
        yield from _points(expected)


def _points(expected: Expected) -> Iterator[Row]:
    numbers, facts = expected.numbers, expected.facts["sam4avs"]
    how = {"size": facts["image_size"], "reverse": facts["reverse"]}
    ours = similarity_map(numbers["audio"], numbers["region"], **how)
    yield expected.row("similarity", ours, 2e-5)
    theirs = numbers.get("similarity", ours)
    kinds = (".points", ".labels")
    for case in sorted({key.rpartition(".")[0] for key in numbers if key.endswith(kinds)}):
        rule, _, threshold = case.partition("_")
        settings = {"threshold": float(threshold)} if threshold else {}
        points, labels = RULES[rule](theirs, **settings)
        yield expected.row(f"{case}.points", points)
        yield expected.row(f"{case}.labels", labels)
