"""Every fusion, and every argument of one, makes a difference to the model it is built into."""

from typing import Any, NamedTuple

import pytest

from auralsam2.registry import FUSIONS
from auralsam2.signature import parameters_of

ALL = {"answers", "losses", "gradients"}
NAMES = [n for n in FUSIONS.names() if FUSIONS.lookup(n).__module__.startswith("auralsam2.")]

# One other value of each argument.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "TwoWayTPAVIFusion": dict(
        inner_channels=8, scale="queries", norm="layer", zero_init=True, scope="frame"
    ),
    "ReleasedTPAVIFusion": dict(
        inner_channels=8,
        scale="keys",
        norm="layer",
        zero_init=True,
        scope="frame",
        unused_parameters=False,
    ),
    "TPAVIFusion": dict(inner_channels=8, norm="layer", zero_init=True, scope="frame"),
    "TwoWayCrossAttentionFusion": dict(num_heads=2, dropout=0.5, scope="frame"),
    "CrossAttentionFusion": dict(num_heads=2, dropout=0.5, scope="frame"),
    "ConcatMLPFusion": dict(hidden_channels=8, dropout=0.5),
    "FiLMFusion": dict(gate="sigmoid", shift=False),
    "BilinearFusion": dict(rank=8, num_factors=2, dropout=0.5),
    "NoFusion": {},
}
CHANGES: dict[str, set[str]] = {"dropout": {"losses", "gradients"}, "unused_parameters": set()}
# What a fusion starts from where its own default would hide the other arguments.
BASE: dict[str, Any] = dict(zero_init=False, dropout=0.0)


class Argument(NamedTuple):
    fusion: str
    name: str
    value: Any


def arguments() -> list[Argument]:
    return [
        Argument(fusion, name, value)
        for fusion, values in ARGUMENTS.items()
        for name, value in values.items()
    ]


def node(name: str) -> dict[str, Any]:
    known = parameters_of(FUSIONS.lookup(name)).known
    return dict(type=name, **{k: v for k, v in BASE.items() if k in known})


@pytest.mark.parametrize("name", [n for n in NAMES if n != "NoFusion"])
def test_taking_a_fusion_away_changes_answers_losses_and_gradients(
    switch_bench: Any, name: str
) -> None:
    context = {"fusion": node(name)}
    assert switch_bench.changed_by("fusion", dict(type="NoFusion"), context) == ALL


@pytest.mark.parametrize("argument", arguments(), ids=lambda a: f"{a.fusion}-{a.name}")
def test_an_argument_changes_what_it_should(switch_bench: Any, argument: Argument) -> None:
    fusion, name, value = argument
    found = switch_bench.changed_by(
        f"fusion.{name}", value, {"fusion": node(fusion)}, initial=name == "zero_init"
    )
    assert found == CHANGES.get(name, ALL)


@pytest.mark.parametrize("name", NAMES)
def test_no_argument_is_left_out(name: str) -> None:
    known = parameters_of(FUSIONS.lookup(name)).known
    assert set(known) - {"channels"} == set(ARGUMENTS.get(name, {}))


def test_no_two_fusions_answer_alike(switch_bench: Any) -> None:
    answers = {n: switch_bench.reference({"fusion": node(n)})[1].answers for n in NAMES}
    logits = {n: a["low_res_logits"] for n, a in answers.items()}
    alike = [(a, b) for a in NAMES for b in NAMES if a < b and logits[a].allclose(logits[b])]
    assert alike == []
