"""What a t-SNE picture of the audio-visual space seems to show, in numbers on the vectors.

With a the audio point of a sounding frame, f its object pixels (``foreground``) and b the other
ones; c the class that sounds, used where it is one and known:

- ``auroc``: share of pairs (f, b) of a frame with a·f > a·b, ties counting half; mean over frames.
  0.5 is chance. ``other_auroc``: the same pixels with the audio of other clips, of another class
  where classes are known: what the object's looks alone explain.
- ``silhouette``: mean over f of (d_other - d_own) / max(d_own, d_other), d the mean cosine
  distance to f's own and to the nearest other class (Rousseeuw 1987).
- ``purity``: share of the 10 nearest f' of other clips, by cosine, that have f's class, mean over
  f; ``cross_modal_purity``: of the 10 nearest f' to a. ``chance_purity``, ``cross_modal_chance``:
  the share of all f' of other clips that have it.
- ``alignment``: E |a - f|², over a frame's pairs, then frames (Wang & Isola 2020, alpha = 2); 0 to
  4, lower is closer.
- ``uniformity``: ln E exp(-2 |f - f'|²) over pairs (Wang & Isola 2020, t = 2); 0 where all points
  coincide, lower is more spread. ``audio_uniformity``: of the a.
- ``modality_gap``: |mean a - mean f| (Liang et al. 2022), 0 to 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from analysis.embeddings.points import SEVERAL, UNKNOWN, Vectors

COMPANIONS = {
    "auroc": "audio→pixel AUROC",
    "other_auroc": "… audio of another clip",
    "silhouette": "silhouette of classes",
    "purity": "kNN purity, pixels",
    "chance_purity": "… by chance",
    "cross_modal_purity": "kNN purity, audio→pixels",
    "cross_modal_chance": "… by chance",
    "alignment": "alignment",
    "uniformity": "uniformity, pixels",
    "audio_uniformity": "uniformity, audio",
    "modality_gap": "modality gap",
}
"""Key of a companion -> what it is called in figures and tables, in their order."""
NEIGHBOURS = 10
# Numbers over pairs of points are taken from at most so many of them.
_MOST_POINTS, _MOST_SOUNDS, _ROWS_AT_ONCE = 3000, 32, 512
_SEED = 0
"""Of those points, and of the other clips' audio."""

Positions = NDArray[np.intp]


class _Frame(NamedTuple):
    """Rows of one frame; ``audio`` is the first of its audio points."""

    clip: str
    category: str
    audio: int
    foreground: Positions
    background: Positions


def companions(rows: pd.DataFrame, vectors: Vectors) -> dict[str, float]:
    """Describe one space and level by the keys of `COMPANIONS`.

    Args:
        rows: of one space and level.
        vectors: (P, D), finite, unit length.

    Returns:
        Key -> number; NaN where the points do not allow one.
    """
    rows = rows.reset_index(drop=True)
    generator = np.random.default_rng(_SEED)
    frames = list(_frames(rows))
    kinds, single = rows["kind"].to_numpy(), ~rows["category"].isin([SEVERAL, UNKNOWN]).to_numpy()
    pixels = np.flatnonzero(kinds == "foreground")
    audio = np.flatnonzero((kinds == "audio") & rows["sounding"].to_numpy(dtype=bool))
    known_pixels, known_audio = pixels[single[pixels]], audio[single[audio]]
    found = {"auroc": _mean([_auroc(frame, vectors, vectors[[frame.audio]]) for frame in frames])}
    found["other_auroc"] = _other_auroc(frames, vectors, generator)
    some = _some(known_pixels, generator)
    found["silhouette"] = _silhouette(rows, vectors, some)
    purities = (("purity", "chance_purity"), ("cross_modal_purity", "cross_modal_chance"))
    for names, asking in zip(purities, (some, _some(known_audio, generator)), strict=True):
        found |= zip(names, _purity(rows, vectors, asking, known_pixels), strict=True)
    found["alignment"] = _alignment(frames, vectors)
    found["uniformity"] = _uniformity(vectors[_some(pixels, generator)])
    found["audio_uniformity"] = _uniformity(vectors[_some(audio, generator)])
    found["modality_gap"] = _gap(vectors[audio], vectors[pixels])
    return found


def _frames(rows: pd.DataFrame) -> Iterator[_Frame]:
    """Frames with an audio point, in their order."""
    kinds = rows["kind"].to_numpy()
    clips, categories = rows["clip"].to_numpy(), rows["category"].to_numpy()
    numbers, _ = pd.factorize(pd.MultiIndex.from_frame(rows[["clip", "frame"]]))
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    for own in np.split(order, starts[1:]) if len(order) else ():
        of_kind = {kind: own[kinds[own] == kind] for kind in ("audio", "foreground", "background")}
        if len(of_kind["audio"]):
            first = int(own[0])
            yield _Frame(
                clip=str(clips[first]),
                category=str(categories[first]),
                audio=int(of_kind["audio"][0]),
                foreground=of_kind["foreground"],
                background=of_kind["background"],
            )


def _auroc(frame: _Frame, vectors: Vectors, sounds: Vectors) -> float:
    """Mean over sounds (S, D) of the AUROC on a frame's pixels: Mann-Whitney's U over pairs."""
    if not len(frame.foreground) or not len(frame.background) or not len(sounds):
        return float("nan")
    inside = vectors[frame.foreground] @ sounds.T
    outside = vectors[frame.background] @ sounds.T
    difference = inside[:, None] - outside[None]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def _other_auroc(frames: list[_Frame], vectors: Vectors, generator: np.random.Generator) -> float:
    sounding = [frame for frame in frames if len(frame.foreground)]
    clips = np.array([frame.clip for frame in sounding])
    categories = np.array([frame.category for frame in sounding])
    audio = np.array([frame.audio for frame in sounding], dtype=np.intp)
    scores = []
    for frame in sounding:
        other = clips != frame.clip
        if frame.category not in (SEVERAL, UNKNOWN):
            other &= ~np.isin(categories, (frame.category, SEVERAL, UNKNOWN))
        chosen = _some(audio[other], generator, _MOST_SOUNDS)
        scores.append(_auroc(frame, vectors, vectors[chosen]))
    return _mean(scores)


def _silhouette(rows: pd.DataFrame, vectors: Vectors, chosen: Positions) -> float:
    categories = rows["category"].to_numpy()[chosen]
    if not 2 <= len(set(categories)) < len(chosen):
        return float("nan")
    return float(silhouette_score(vectors[chosen], categories, metric="cosine"))


def _purity(
    rows: pd.DataFrame, vectors: Vectors, asking: Positions, pool: Positions
) -> tuple[float, float]:
    """Share of the nearest of ``pool`` in other clips that are of a point's class, and chance."""
    clips, categories = pd.factorize(rows["clip"])[0], pd.factorize(rows["category"])[0]
    shares, chances = [], []
    for start in range(0, len(asking), _ROWS_AT_ONCE):
        own = asking[start : start + _ROWS_AT_ONCE]
        allowed = clips[own][:, None] != clips[pool][None]
        own, allowed = own[allowed.any(axis=1)], allowed[allowed.any(axis=1)]
        if not len(own):
            continue
        same = (categories[own][:, None] == categories[pool][None]) & allowed
        similarity = np.where(allowed, vectors[own] @ vectors[pool].T, -np.inf)
        count = min(NEIGHBOURS, len(pool))
        nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        asked = np.take_along_axis(allowed, nearest, axis=1).sum(axis=1)
        shares.append(np.take_along_axis(same, nearest, axis=1).sum(axis=1) / asked)
        chances.append(same.sum(axis=1) / allowed.sum(axis=1))
    if not shares:
        return float("nan"), float("nan")
    return float(np.concatenate(shares).mean()), float(np.concatenate(chances).mean())


def _alignment(frames: list[_Frame], vectors: Vectors) -> float:
    pairs = [(vectors[f.foreground], vectors[f.audio]) for f in frames if len(f.foreground)]
    return _mean([float(((inside - audio) ** 2).sum(axis=1).mean()) for inside, audio in pairs])


def _uniformity(vectors: Vectors) -> float:
    if len(vectors) < 2:
        return float("nan")
    squared = np.maximum(0, 2 - 2 * vectors @ vectors.T)  # of points of unit length
    pairs = squared[np.triu_indices(len(vectors), k=1)]
    return float(np.log(np.exp(-2 * pairs).mean()))


def _gap(audio: Vectors, pixels: Vectors) -> float:
    if not len(audio) or not len(pixels):
        return float("nan")
    return float(np.linalg.norm(audio.mean(axis=0) - pixels.mean(axis=0)))


def _some(positions: Positions, generator: np.random.Generator, most: int = 0) -> Positions:
    most = most or _MOST_POINTS
    if len(positions) <= most:
        return positions
    return np.sort(generator.choice(positions, size=most, replace=False))


def _mean(values: list[float]) -> float:
    """Mean of what is a number; NaN where nothing is."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
