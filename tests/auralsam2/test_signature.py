from __future__ import annotations

import pytest
from torch import nn

from auralsam2.signature import argument_problems, parameters_of


class Base:
    def __init__(self, channels: int, dropout: float = 0.0) -> None: ...


class Forwards(Base):
    def __init__(self, *, gate: float, **kwargs: float) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]


class Swallows:
    def __init__(self, **anything: object) -> None: ...


class Module(nn.Module):
    """No own __init__: nn.Module's signature has **kwargs but refuses them."""


def function(a: int, *, b: int = 1) -> None: ...


@pytest.mark.parametrize(
    ("target", "known", "required", "takes_any"),
    [
        (Base, ["channels", "dropout"], ("channels",), False),
        (Forwards, ["gate", "channels", "dropout"], ("gate",), False),
        (Swallows, [], (), True),
        (Module, [], (), False),
        (object, [], (), False),
        (function, ["a", "b"], ("a",), False),
    ],
)
def test_parameters_of(target, known, required, takes_any) -> None:
    parameters = parameters_of(target)
    assert list(parameters.known) == known
    assert parameters.required == required
    assert parameters.takes_any is takes_any


def test_argument_problems_are_all_named() -> None:
    problems = argument_problems(Base, ["chanels", "bias"])
    assert problems == [
        "Base got an unknown argument 'chanels'; did you mean 'channels'? known: channels, dropout",
        "Base got an unknown argument 'bias'; known: channels, dropout",
        "Base misses its argument 'channels'; known: channels, dropout",
    ]


def test_injected_arguments_are_not_missing() -> None:
    assert argument_problems(Base, ["dropout"], injected={"channels"}) == []


def test_kwargs_without_an_end_take_any_name() -> None:
    assert argument_problems(Swallows, ["whatever"]) == []
