"""Trained runs to tidy numbers about their decoder's attention, kept in the run's folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from analysis.dilution import attention as formulas
from analysis.dilution.attention import Array
from analysis.kept import KeptMeasurement, OpenRun
from auralsam2.text_files import encode

SOUNDS = ("swapped", "silence")
_OF_FRAME, _OF_READING = ("clip", "frame", "quantity"), ("condition", "swapped_at", "site", "head")
COLUMNS = (*_OF_FRAME, *_OF_READING, "tokens", "value")
EVERYWHERE, ALL_HEADS = 0, -1
MASK_TOKENS, PROMPT_TOKENS = "mask", "prompt"
NO_PROMPTS = "no prompts"
"""The condition of `auralsam2.engine.probing`, which needs torch."""

Row = tuple[str, int, str, str, int, int, int, str, float]


@dataclass(frozen=True, kw_only=True)
class DilutionReadings(KeptMeasurement[pd.DataFrame]):
    """A run's attention on its test split, as rows.

    One row a frame, quantity, condition, site and head, columns `COLUMNS`: ``swapped_at`` is the
    site whose prompts were exchanged, counted from 1, 0 for all of them (quantities of the signal
    are of these alone); ``head`` -1 is the mean over heads; ``tokens`` is ``"mask"`` for SAM2's
    mask tokens, ``"prompt"`` for tokens behind SAM2's own. Objects that a model decodes one by one
    are averaged in their frame. Conditions that change nothing in any frame have no rows.
    """

    schema: ClassVar[int] = 2
    file_name: ClassVar[str] = "dilution.csv"
    sounds: Sequence[str] = SOUNDS  # kinds of counterfactual audio

    def code(self) -> dict[str, str]:
        """Return the package's version, and that of the sources that turn readings into rows."""
        sources = [Path(str(formulas.__file__)), Path(__file__)]
        digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources))
        return {**super().code(), "measures": digest.hexdigest()[:10]}

    def measure(self, run_dir: Path, overrides: Mapping[str, Any]) -> pd.DataFrame:
        """Read every frame's attention."""
        frames = self._frames(run_dir, overrides)
        return to_frame(row for frame in frames for row in frame_rows(frame))

    def encode(self, numbers: pd.DataFrame) -> tuple[bytes, dict[str, Any]]:
        """Return a CSV."""
        return encode(numbers.to_csv(index=False)), {}

    def decode(self, content: bytes, facts: Mapping[str, Any]) -> pd.DataFrame:
        """Read a CSV whose texts stay texts: clips may be called 007 or NA."""
        texts = dict.fromkeys(("clip", "quantity", "condition", "tokens"), str)
        missing = {"value": [""]}
        return pd.read_csv(
            io.BytesIO(content), dtype=texts, keep_default_na=False, na_values=missing
        )

    def _frames(self, run_dir: Path, overrides: Mapping[str, Any]) -> Iterator[Any]:
        run = OpenRun(run_dir, {**overrides, "evaluation.counterfactuals": list(self.sounds)})
        from auralsam2.engine.probing import TRUE, decoder_readings

        datasets = {TRUE: run.dataset(self.split, tested=True)}
        datasets |= {sound: run.dataset(f"{self.split}_audio_{sound}") for sound in self.sounds}
        return decoder_readings(run.model(), run.cfg, datasets, max_clips=self.max_clips)


def to_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Average a frame's objects, and leave out conditions that change nothing anywhere."""
    numbers = pd.DataFrame(rows, columns=list(COLUMNS))
    keys = list(COLUMNS[:-1])
    if numbers.duplicated(keys).any():
        numbers = numbers.groupby(keys, sort=False)["value"].mean().reset_index()
    effects = numbers[numbers["quantity"].isin(["js", "output_change", "token_signal"])]
    largest = effects.groupby("condition")["value"].max()
    without = largest.index[largest == 0]
    return numbers[~numbers["condition"].isin(without)].reset_index(drop=True)


def frame_rows(readings: Any) -> Iterator[Row]:
    """Compute all quantities of an `auralsam2.engine.probing.FrameReadings`: a frame or object."""
    from auralsam2.engine.probing import TRUE

    key = (readings.clip, readings.frame)
    coverage = np.asarray(readings.coverage, dtype=float)
    true = _stack(readings.conditions[TRUE])
    groups = _token_groups(true.attention.shape[2])
    mask = groups[MASK_TOKENS]
    for tokens, chosen in groups.items():
        maps = true.attention[:, :, chosen]
        for quantity, values in (
            ("gain", formulas.in_mask_gain(maps, coverage)),
            ("entropy", formulas.normalised_entropy(maps)),
        ):
            for site, head, value in _by_site_and_head(values.mean(axis=2)):
                yield *key, quantity, TRUE, EVERYWHERE, site, head, tokens, value
    changed = [
        *((name, EVERYWHERE, other) for name, other in readings.conditions.items() if name != TRUE),
        *((name, site + 1, other) for (name, site), other in readings.swapped_at.items()),
    ]
    for condition, swapped_at, other in changed:
        sites = _stack(other)
        effects = _effects(true, sites, mask)
        if swapped_at == EVERYWHERE:
            effects |= _signals(true, sites, mask, coverage)
        for quantity, values in effects.items():
            for site, head, value in _by_site_and_head(values):
                yield *key, quantity, condition, swapped_at, site, head, MASK_TOKENS, value


class _Sites(NamedTuple):
    """Readings of S sites: attention (S, H, K, N), output and tokens (S, K, C), keys (S, N, C)."""

    attention: Array
    output: Array
    tokens: Array
    keys: Array


def _stack(readings: Sequence[Any]) -> _Sites:
    return _Sites(*(np.stack(parts).astype(float) for parts in zip(*readings, strict=True)))


def _by_site_and_head(values: Array) -> Iterator[tuple[int, int, float]]:
    """Yield site, head and value of (S,) or (S, H) values, in the second case with the mean."""
    means = values if values.ndim == 1 else values.mean(axis=1)
    for site, mean in enumerate(means.tolist(), start=1):
        yield site, ALL_HEADS, mean
        if values.ndim > 1:
            for head, value in enumerate(values[site - 1].tolist()):
                yield site, head, value


def _effects(true: _Sites, other: _Sites, mask: slice) -> dict[str, Array]:
    """Return how much other prompts change what is attended to, (S, H), and what is read, (S,)."""
    js = formulas.js_divergence(true.attention[:, :, mask], other.attention[:, :, mask])
    outputs = formulas.relative_change(true.output[:, mask], other.output[:, mask])
    return {"js": js.mean(axis=2), "output_change": outputs.mean(axis=1)}


def _signals(true: _Sites, other: _Sites, mask: slice, coverage: Array) -> dict[str, Array]:
    """Return what is left of the difference at each site, (S,)."""
    tokens, other_tokens = true.tokens[:, mask], other.tokens[:, mask]
    keys = formulas.relative_change(true.keys, other.keys)
    token_change, key_change = tokens - other_tokens, true.keys - other.keys
    return {
        "token_signal": formulas.relative_change(tokens, other_tokens).mean(axis=1),
        "token_cosine": _mean(formulas.cosine(token_change, token_change[:1])),
        "key_signal_inside": formulas.inside_mean(keys, coverage),
        "key_signal_outside": formulas.inside_mean(keys, 1 - coverage),
        "key_cosine": _mean(formulas.cosine(key_change, key_change[:1])),
    }


def _mean(values: Array) -> Array:
    """Mean over the last axis of what is a number; NaN where nothing is."""
    return np.asarray(np.ma.masked_invalid(values).mean(axis=-1).filled(np.nan))


def _token_groups(num_tokens: int) -> dict[str, slice]:
    from auralsam2.models.injection import NUM_OUTPUT_TOKENS, TOKENS

    groups = {MASK_TOKENS: TOKENS["mask"]}
    if num_tokens > NUM_OUTPUT_TOKENS:
        groups[PROMPT_TOKENS] = slice(NUM_OUTPUT_TOKENS, num_tokens)
    return groups
