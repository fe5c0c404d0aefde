"""What trained weights have shown, kept in the folder of their run as long as it holds."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from analysis.runs.comparable import check_tested_clips
from auralsam2.config_identity import config_hash
from auralsam2.engine import run_record
from auralsam2.engine.provenance import code_version
from auralsam2.engine.run_folder import stored_config
from auralsam2.engine.run_record import WEIGHTS
from auralsam2.kept_files import keep
from auralsam2.messages import unknown_name

_DIGEST, _SETTINGS = "sha256", "settings"

T = TypeVar("T")


class Kept(ABC, Generic[T]):
    """Numbers of one run, in a file of its folder; a JSON file beside it says what they are of.

    Subclasses are frozen dataclasses: their fields are the settings that the numbers depend on.
    """

    schema: ClassVar[int]
    file_name: ClassVar[str]

    def path(self, run_dir: Path) -> Path:
        """Return the file; the JSON file has its name with another ending."""
        return run_dir / self.file_name

    @abstractmethod
    def encode(self, numbers: T) -> tuple[bytes, dict[str, Any]]:
        """Return the content of the file, and what else the JSON file is to say."""

    @abstractmethod
    def decode(self, content: bytes, facts: Mapping[str, Any]) -> T:
        """Return what `encode` was given; raise a `ValueError` or `KeyError` at damage."""

    def code(self) -> dict[str, str]:
        """Return the versions of the code that the numbers depend on."""
        return {"code_version": code_version()}

    def settings(self, run_dir: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that the numbers depend on, as the JSON file holds it."""
        own = asdict(self)  # type: ignore[call-overload]
        stated = {"schema": self.schema, **run_settings(run_dir, overrides), **own, **self.code()}
        return dict(json.loads(json.dumps(stated)))

    def read(self, run_dir: Path, settings: Mapping[str, Any]) -> T | None:
        """Return what is kept; None where there is nothing, or what is there does not hold."""
        path = self.path(run_dir)
        try:
            content = path.read_bytes()
            facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(facts, dict):
            return None
        # Earlier versions wrote no digest, and the settings of most numbers by themselves.
        whole = facts.pop(_DIGEST, None) in (None, hashlib.sha256(content).hexdigest())
        held = facts.get(_SETTINGS, facts)
        if not whole or not still_holds(held, settings, tuple(self.code())):
            return None
        try:
            return self.decode(content, facts)
        except (ValueError, KeyError):  # damaged: made again
            return None

    def write(self, run_dir: Path, settings: Mapping[str, Any], numbers: T) -> None:
        """Keep numbers; where they cannot be written, say so and go on."""
        content, facts = self.encode(numbers)
        facts = {_SETTINGS: settings, **facts, _DIGEST: hashlib.sha256(content).hexdigest()}
        path = self.path(run_dir)
        stated = path.with_suffix(".json")
        # The facts are emptied first and written last: what is killed between is made again.
        if keep(stated, b"") and keep(path, content):
            keep(stated, (json.dumps(facts, indent=1) + "\n").encode())


@dataclass(frozen=True, kw_only=True)
class Measurement(ABC, Generic[T]):
    """Numbers that are measured once on a run's own test data, and kept in its folder."""

    by_weights: ClassVar[bool] = True
    """Whether they hang on what the run has trained, not on its data alone."""
    max_clips: int | None = None  # the first ones of the split; None for all
    split: str = "test"  # whose clips

    @abstractmethod
    def measure(self, run_dir: Path, overrides: Mapping[str, Any]) -> T:
        """Return the numbers of a run; raise an `UnfitModelError` where its model has none."""

    @abstractmethod
    def settings(self, run_dir: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that the numbers depend on."""

    @abstractmethod
    def read(self, run_dir: Path, settings: Mapping[str, Any]) -> T | None:
        """Return what is kept; None where there is nothing, or what is there does not hold."""

    @abstractmethod
    def write(self, run_dir: Path, settings: Mapping[str, Any], numbers: T) -> None:
        """Keep numbers."""

    def has(self, run_dir: Path, overrides: Mapping[str, Any]) -> bool:
        """Return whether there is something that holds; not of a run that cannot be read."""
        try:
            return self.read(run_dir, self.settings(run_dir, overrides)) is not None
        except (OSError, ValueError):
            return False

    def problems(self) -> list[str]:
        """Return what is wrong with the settings."""
        if self.max_clips is None or self.max_clips >= 1:
            return []
        return [f"max_clips must be at least 1, got {self.max_clips}"]

    def check(self, numbers: T) -> None:
        """Raise a `ValueError` for numbers that say nothing, such as those of a diverged run."""

    def of(
        self, run_dir: Path, *, overrides: Mapping[str, Any] | None = None, again: bool = False
    ) -> T:
        """Measure a finished run, or read what was measured before with the same settings.

        Args:
            run_dir: with ``config.py`` and ``record.json``, and ``best.safetensors`` where
                something was trained.
            overrides: of its config, e.g. ``{"data.root": ...}`` where the data have moved.
            again: also where the folder has the numbers.

        Raises:
            FileNotFoundError: where the folder is no run, or its weights or data are gone.
            ValueError: for wrong settings, an unknown split, or data with other clips than those
                that the run was tested on; `UnfitModelError` where its model has no such numbers.
        """
        if problems := self.problems():
            raise ValueError("; ".join(problems))
        settings = self.settings(run_dir, overrides or {})
        if not again and (kept := self.read(run_dir, settings)) is not None:
            return kept
        if self.by_weights:
            check_weights(run_dir)
        numbers = self.measure(run_dir, overrides or {})
        self.write(run_dir, settings, numbers)
        return numbers


@dataclass(frozen=True, kw_only=True)
class KeptMeasurement(Kept[T], Measurement[T]):
    """Numbers that are measured at once, and kept in one file."""


class OpenRun:
    """A finished run's config and test data; its model is built when it is asked for.

    Args:
        run_dir: of the run.
        overrides: of its config.

    Raises:
        FileNotFoundError: where config or data are gone.
    """

    def __init__(self, run_dir: Path, overrides: Mapping[str, Any]) -> None:
        from auralsam2 import config
        from auralsam2.engine.run_folder import find_target

        self.run_dir = run_dir
        self._stored, self._weights = find_target(str(run_dir), None)
        # From here on torch is needed.
        from auralsam2.engine.splits import test_datasets
        from auralsam2.registry import load_all

        self.cfg = config.load(self._stored, overrides)
        load_all()
        self._datasets = test_datasets(self.cfg)

    def dataset(self, split: str, *, tested: bool = False) -> Any:
        """Return the clips of a split; ``tested``: refuse others than the run was tested on.

        Raises:
            ValueError: where it is not known, or has such clips.
        """
        if split not in self._datasets:
            problem = unknown_name("test split", split, self._datasets)
            raise ValueError(f"'{self.run_dir}': {problem}")
        if tested:
            check_tested_clips(self.run_dir, split, self._datasets[split].clips)
        return self._datasets[split]

    def model(self) -> Any:
        """Return the model with its trained weights."""
        from auralsam2.engine.evaluate import trained_model

        return trained_model(self.cfg, self._weights)


def check_weights(run_dir: Path) -> None:
    """Refuse a run that has trained something and has lost it: it would be taken as built."""
    trained = run_record.read_without_clips(run_dir).num_parameters.get("trainable", 0)
    if trained and not (run_dir / WEIGHTS).is_file():
        raise FileNotFoundError(f"the trained weights are gone: no {WEIGHTS} in '{run_dir}'")


def run_settings(run_dir: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return what numbers depend on of the run itself; not where its data lie: they may move."""
    weights, stored = run_dir / WEIGHTS, stored_config(run_dir)
    held = weights.is_file()
    return {
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest()[:16] if held else None,
        "config": config_hash(stored)[:16] if stored is not None else None,
        "data": run_record.read_without_clips(run_dir).data_fingerprint[:16],
        "overrides": {k: repr(v) for k, v in sorted(overrides.items()) if not k.endswith("root")},
    }


def still_holds(
    held: Mapping[str, Any], settings: Mapping[str, Any], code: tuple[str, ...] = ()
) -> bool:
    """Return whether what was measured with some settings is what others ask for.

    Args:
        held: as they were written down; what older code did not write down is not known to differ.
        settings: as of now.
        code: keys that say which code measured. What was made before the weights went is all that
            is left of them, by whatever code.
    """
    free = set(settings) - set(held)
    if held.get("weights") and settings["weights"] is None:
        free |= {"weights", *code}
    return dict(held) | {key: settings[key] for key in free} == dict(settings)
