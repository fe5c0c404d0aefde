"""What every parameter of a sweep can do, and the types of parameters by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

PARAMETERS: dict[str, type[Parameter]] = {}
"""Name of a type, as a space file states it -> its class."""
SHARED_KEYS = ("type", "when")

P = TypeVar("P", bound="type[Parameter]")


class NotInSpace(ValueError):
    """The base config holds something that a parameter cannot take."""


@dataclass(frozen=True)
class Parameter(ABC):
    """One thing that a sweep varies.

    Its values are plain (numbers, texts, None), since storages and ``trials.csv`` hold nothing
    else.

    Attributes:
        name: dotted path of the config, or a free name where choices set paths themselves.
        when: name of an earlier parameter -> its values under which this one applies.
    """

    KIND: ClassVar[str] = ""
    KEYS: ClassVar[tuple[str, ...]] = ()

    name: str
    when: Mapping[str, frozenset[Any]]

    @classmethod
    @abstractmethod
    def problems_of(cls, name: str, raw: Mapping[str, Any]) -> Iterable[str]:
        """Say what is wrong with ``raw``, a parameter as a file states it."""

    @classmethod
    @abstractmethod
    def read(
        cls, name: str, raw: Mapping[str, Any], when: Mapping[str, frozenset[Any]]
    ) -> Parameter:
        """Return the parameter of a ``raw`` without problems."""

    @abstractmethod
    def suggest(self, trial: Any) -> Any:
        """Return the value that an ``optuna.trial.Trial`` suggests."""

    @abstractmethod
    def overrides(self, value: Any) -> dict[str, Any]:
        """Return dotted path -> node for one value."""

    @abstractmethod
    def base_value(self, cfg: Any) -> Any:
        """Return the value that a config stands for.

        Raises:
            NotInSpace: where it stands for none of them.
        """

    @abstractmethod
    def extremes(self) -> list[Any]:
        """Return the values that are checked before anything starts."""

    @abstractmethod
    def grid(self) -> list[Any]:
        """Return all values.

        Raises:
            ValueError: where there is no end of them.
        """

    @abstractmethod
    def values_of(self, wanted: Any) -> list[Any]:
        """Return the values that a condition calls ``wanted``; empty where there is none."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the parameter as JSON, ``when`` apart."""


def register(kind: str) -> Callable[[P], P]:
    """Make a class known under the ``type`` that a space file states."""

    def add(cls: P) -> P:
        cls.KIND = kind
        PARAMETERS[kind] = cls
        return cls

    return add
