"""A run's scores under corruptions, kept corruption by corruption in its folder."""

from __future__ import annotations

import io
import json
import time
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pandas as pd

from analysis.kept import Kept, Measurement, OpenRun
from analysis.robustness.asked import Asked, Node, build
from auralsam2.engine import run_record
from auralsam2.engine.metric_scales import MetricScale, scales_of
from auralsam2.text_files import encode

KEYS = ("strength", "clip")
FOLDER = "robustness"
CLEAN = "clean"
"""In the place of a corruption: clips as they are."""
SEED = 0
"""Of the draws of all corruptions, the same for every run."""
MOST_LOST = 20.0
"""Seconds of work that are lost where a process is killed."""
Scored = dict[tuple[float, str], tuple[float, ...]]
"""Strength and clip -> scores in the order of the metrics, NaN where a clip does not count."""
Scales = dict[str, MetricScale]
"""Metric -> how to read it."""


class RunScores(NamedTuple):
    """What a run has scored."""

    # Columns corruption (its type, or `CLEAN`), strength, clip and one for each metric. Of a run
    # that hears nothing, the clean scores stand under corruptions of sound: its masks are the same.
    scores: pd.DataFrame
    scales: Scales  # the metrics in their order
    hears: bool  # whether sound has a part in its masks
    left_out: Mapping[str, str]  # corruption -> why its data cannot be corrupted so


class OneCorruption(NamedTuple):
    """Scores of a run under one corruption."""

    scored: Scored  # the scores
    scales: Scales  # the metrics in their order
    hears: bool  # whether sound has a part in the run's masks


@dataclass(frozen=True, kw_only=True)
class CorruptionScores(Kept[OneCorruption]):
    """Scores under one corruption; the file grows by strengths and clips that are asked for."""

    schema: ClassVar[int] = 1
    corruption: Node | None  # its node; None for clips as they are
    split: str  # whose clips
    seed: int = SEED  # of its draws

    @property
    def name(self) -> str:
        """Type of the corruption."""
        return CLEAN if self.corruption is None else str(self.corruption["type"])

    def path(self, run_dir: Path) -> Path:
        """Return the file; unusual arguments and splits are part of its name."""
        said = {key: value for key, value in (self.corruption or {}).items() if key != "type"}
        name = self.name
        if said or self.split != "test":
            text = json.dumps([said, self.split], sort_keys=True)
            name += f"-{zlib.crc32(encode(text)):08x}"
        return run_dir / FOLDER / f"{name}.csv"

    def encode(self, numbers: OneCorruption) -> tuple[bytes, dict[str, Any]]:
        """Return a CSV, and what it has."""
        rows = [(*key, *scores) for key, scores in numbers.scored.items()]
        facts = {
            "strengths": sorted({f"{strength:g}" for strength, _ in numbers.scored}, key=float),
            "clips": len({clip for _, clip in numbers.scored}),
            "hears": numbers.hears,
            "scales": {name: scale.to_json() for name, scale in numbers.scales.items()},
        }
        frame = pd.DataFrame(rows, columns=[*KEYS, *numbers.scales])
        return encode(frame.to_csv(index=False)), facts

    def decode(self, content: bytes, facts: Mapping[str, Any]) -> OneCorruption:
        """Read a CSV whose clips stay texts: they may be called 007 or NA."""
        frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
        scales = {name: MetricScale.from_json(held) for name, held in facts["scales"].items()}
        scored = {
            (float(strength), clip): tuple(float(score or "nan") for score in scores)
            for strength, clip, *scores in frame[[*KEYS, *scales]].itertuples(index=False)
        }
        return OneCorruption(scored, scales, bool(facts["hears"]))


@dataclass
class _Part:
    """One corruption of a run, with what is kept of it."""

    kept: CorruptionScores
    run_dir: Path
    settings: Mapping[str, Any]  # none: nothing is read
    strengths: Sequence[float]
    corruption: Any  # built; None for clips as they are
    scored: Scored = field(default_factory=dict)
    scales: Scales = field(default_factory=dict)
    hears: bool = True
    changed: bool = False

    def __post_init__(self) -> None:
        held = self.kept.read(self.run_dir, self.settings) if self.settings else None
        if held is not None:
            self.scored, self.scales, self.hears = held

    @property
    def name(self) -> str:
        """Type of the corruption."""
        return self.kept.name

    def missing(self, clips: Sequence[str]) -> dict[float, list[str]]:
        """Return strength -> clips that have no score."""
        every = {s: [c for c in clips if (s, c) not in self.scored] for s in self.strengths}
        return {strength: lacking for strength, lacking in every.items() if lacking}

    def add(self, strength: float, clip: str, scores: tuple[float, ...]) -> None:
        """Take a clip's scores."""
        self.scored[strength, clip], self.changed = scores, True

    def keep(self) -> None:
        """Write what is new."""
        if self.changed:
            own = OneCorruption(self.scored, self.scales, self.hears)
            self.kept.write(self.run_dir, self.settings, own)
            self.changed = False

    @property
    def heard_alone(self) -> bool:
        """Whether nothing that is seen changes."""
        return self.corruption is not None and not self.corruption.seen


@dataclass(frozen=True, kw_only=True)
class RunRobustness(Measurement[RunScores]):
    """Scores of a run on test clips as they are and under corruptions.

    Every corruption has a file of its own (`CorruptionScores`). Strengths and clips that are in it
    are not scored again, and a process that is killed loses `MOST_LOST` seconds of work.
    """

    corruptions: Asked = ()  # nodes and their strengths

    def problems(self) -> list[str]:
        """Return also strengths that a corruption does not have."""
        problems = super().problems()
        names = Counter(str(node["type"]) for node, _ in self.corruptions)
        problems += [f"corruption {name} stands twice" for name, n in names.items() if n > 1]
        for node, strengths in self.corruptions:
            problems += build(node).problems(strengths)
        return problems

    def settings(self, run_dir: Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the files of all corruptions have in common."""
        return CorruptionScores(corruption=None, split=self.split).settings(run_dir, overrides)

    def of(
        self, run_dir: Path, *, overrides: Mapping[str, Any] | None = None, again: bool = False
    ) -> RunScores:
        """Score what is missing; with ``again`` what is there is forgotten first."""
        if again:
            for part in self._parts(run_dir, {}):
                part.kept.path(run_dir).unlink(missing_ok=True)
        return super().of(run_dir, overrides=overrides)

    def read(self, run_dir: Path, settings: Mapping[str, Any]) -> RunScores | None:
        """Return what is kept where all is there that is asked for."""
        tested = run_record.read(run_dir).per_clip
        clips = list(dict.fromkeys(e["clip"] for e in tested if e["split"] == self.split))
        parts = self._parts(run_dir, settings)
        if not clips or any(part.missing(clips[: self.max_clips]) for part in parts):
            return None
        return _joined(parts, clips[: self.max_clips], {})

    def write(self, run_dir: Path, settings: Mapping[str, Any], numbers: RunScores) -> None:
        """Do nothing: what is scored is kept as it comes."""

    def measure(self, run_dir: Path, overrides: Mapping[str, Any]) -> RunScores:
        """Score what is missing."""
        run = OpenRun(run_dir, overrides)
        dataset = run.dataset(self.split, tested=True)
        clips = list(dataset.clips)[: self.max_clips]
        parts = self._parts(run_dir, self.settings(run_dir, overrides))
        left_out, datasets = _corrupted(dataset, clips, parts)
        parts = [part for part in parts if part.name not in left_out]
        if any(part.missing(clips) for part in parts):
            _score(run, parts, clips, datasets)
        return _joined(parts, clips, left_out)

    def _parts(self, run_dir: Path, settings: Mapping[str, Any]) -> list[_Part]:
        """Clips as they are, corruptions of sound, corruptions of pictures, with what is kept."""
        built = [(node, build(node), strengths) for node, strengths in self.corruptions]
        asked: list[tuple[Any, Any, Sequence[float]]] = [(None, None, (0.0,))]
        asked += sorted(built, key=lambda one: bool(one[1].seen))
        parts = []
        for node, corruption, strengths in asked:
            kept = CorruptionScores(corruption=node, split=self.split)
            own = settings and {**settings, "corruption": json.loads(json.dumps(node))}
            wanted = [s for s in strengths if corruption is None or s != corruption.clean]
            parts.append(_Part(kept, run_dir, own, wanted, corruption))
        return parts


def _corrupted(
    dataset: Any, clips: Sequence[str], parts: Sequence[_Part]
) -> tuple[dict[str, str], dict[tuple[str, float], Any]]:
    """Return corruption -> why it is left out, and data sets by name and strength of the others."""
    from auralsam2.data.datasets.corrupted import CorruptedClips
    from auralsam2.data.datasets.wrapped import ChosenClips

    left_out, datasets = {}, {}
    for part in parts:
        try:
            for strength in part.strengths:
                own = dataset
                if part.corruption is not None:
                    # Not the guarded data set, which numbers the clips that can be read.
                    own = CorruptedClips(dataset.dataset, part.corruption, strength, SEED)
                    own.check()
                datasets[part.name, strength] = ChosenClips(own, clips)
        except ValueError as error:
            left_out[part.name] = str(error)
    return left_out, datasets


def _score(
    run: OpenRun, parts: Sequence[_Part], clips: Sequence[str], datasets: Mapping[Any, Any]
) -> None:
    """Score what is missing, and keep it as it comes."""
    from auralsam2.engine.clicks import hears
    from auralsam2.engine.robustness import condition_scores, scored_metrics

    model = run.model()
    for part in parts:
        part.hears, part.scales = hears(model), scales_of(scored_metrics(run.cfg))
    by_name = {part.name: part for part in parts}
    wanted = {
        (part.name, strength): lacking
        for part in parts
        if part.hears or not part.heard_alone
        for strength, lacking in part.missing(clips).items()
    }
    chosen = {condition: datasets[condition] for condition in wanted}
    try:
        kept = time.monotonic()
        found = condition_scores(model, run.cfg, chosen, wanted) if wanted else ()
        for (name, strength), clip, scores in found:
            by_name[name].add(strength, clip, tuple(scores.values()))
            if time.monotonic() - kept > MOST_LOST:
                for part in parts:
                    part.keep()
                kept = time.monotonic()
        _fill_in(parts, clips)
    finally:
        for part in parts:
            part.keep()


def _fill_in(parts: Sequence[_Part], clips: Sequence[str]) -> None:
    """Give corruptions of sound the clean scores where nothing is heard."""
    clean = parts[0].scored
    for part in parts:
        if part.heard_alone and not part.hears:
            for strength, lacking in part.missing(clips).items():
                for clip in lacking:
                    part.add(strength, clip, clean[0.0, clip])


def _joined(parts: Sequence[_Part], clips: Sequence[str], left_out: Mapping[str, str]) -> RunScores:
    """Return what is asked for of what is kept."""
    rows = [
        (part.name, strength, clip, *part.scored[strength, clip])
        for part in parts
        for strength in part.strengths
        for clip in clips
    ]
    frame = pd.DataFrame(rows, columns=["corruption", *KEYS, *parts[0].scales])
    return RunScores(frame, parts[0].scales, parts[0].hears, left_out)
