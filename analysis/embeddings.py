"""The audio-visual space of trained runs: drawn points, and numbers on the original vectors."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, silhouette_score

FILE_NAME = "embeddings.npz"
SETTINGS_NAME = "embeddings.json"
COLUMNS = ("clip", "frame", "level", "space", "kind", "sounding", "category")
SEVERAL, UNKNOWN = "several", "unknown"
NEIGHBOURS = 10
_SCHEMA = 1
_MOST_PAIRS = 2000

Vectors = NDArray[np.float32]


class Points(NamedTuple):
    """Points of one run.

    Attributes:
        table: one row a point, columns `COLUMNS`; ``category`` is the class that sounds in the
            frame, or in the clip where the data say no more; ``"several"`` where more than one
            does, ``"unknown"`` where none does or nothing is known.
        vectors: (P, D) for every space, rows as in the part of ``table`` of that space.
    """

    table: pd.DataFrame
    vectors: dict[str, Vectors]

    def select(self, space: str, level: int) -> tuple[pd.DataFrame, Vectors]:
        """Return the rows and vectors of one space and level."""
        rows = self.table[self.table["space"] == space].reset_index(drop=True)
        chosen = (rows["level"] == level).to_numpy()
        return rows[chosen].reset_index(drop=True), self.vectors[space][chosen]


def capture_points(
    run_dir: Path,
    *,
    per_kind: int = 16,
    max_clips: int | None = None,
    split: str = "test",
    seed: int = 0,
    again: bool = False,
) -> Points:
    """Draw the points of a finished run, or read those drawn before with the same settings.

    Args:
        run_dir: with ``config.py`` and ``best.safetensors``.
        per_kind: most visual points a frame, inside and outside the mask each.
        max_clips: the first ones of the split; None for all.
        split: whose clips.
        seed: of the drawing.
        again: also where the folder has the points already.

    Raises:
        FileNotFoundError: where the folder is no run.
        ValueError: where its model has no audio-visual space.
    """
    settings = _settings(run_dir, per_kind, max_clips, split, seed)
    kept = run_dir / SETTINGS_NAME
    if not again and kept.is_file() and json.loads(kept.read_text(encoding="utf-8")) == settings:
        return read_points(run_dir)
    rows, vectors = _draw(run_dir, per_kind, max_clips, split, seed)
    points = Points(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        {space: np.concatenate(parts) for space, parts in vectors.items()},
    )
    # Texts as fixed-width arrays: an object array would be a pickle.
    arrays: dict[str, Any] = {
        f"table/{c}": points.table[c].to_numpy(dtype=_dtype(points.table[c])) for c in COLUMNS
    }
    arrays |= {f"vectors/{space}": v for space, v in points.vectors.items()}
    np.savez_compressed(run_dir / FILE_NAME, **arrays)
    kept.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return points


def read_points(run_dir: Path) -> Points:
    """Read what `capture_points` has left in a run folder."""
    with np.load(run_dir / FILE_NAME) as arrays:
        table = pd.DataFrame({c: arrays[f"table/{c}"] for c in COLUMNS})
        vectors = {
            key.removeprefix("vectors/"): arrays[key]
            for key in arrays.files
            if key.startswith("vectors/")
        }
    return Points(table, vectors)


def companions(rows: pd.DataFrame, vectors: Vectors, *, seed: int = 0) -> dict[str, float]:
    """Say in numbers, on the original vectors, what a t-SNE picture seems to show.

    Args:
        rows: of one space and level.
        vectors: (P, D), unit length.
        seed: of the pairs drawn for alignment and uniformity.

    Returns:
        ``auroc``: audio-to-pixel AUROC, how well a frame's audio point tells its object's pixels
        from its background's by cosine, mean over frames; 0.5 is chance. ``silhouette`` of object
        pixels by class (cosine). ``purity``: share of an object pixel's 10 nearest object pixels
        of other clips that are of its class; ``cross_modal_purity`` likewise from audio points to
        object pixels; ``chance_purity`` what random neighbours give. ``alignment``: mean squared
        distance of a frame's audio to its object pixels (Wang & Isola 2020), lower is closer.
        ``uniformity``: ln mean exp(-2 d^2) over pairs, lower is more spread. ``modality_gap``:
        distance of the mean audio point to the mean object pixel (Liang et al. 2022). NaN where
        the points do not allow one.
    """
    found = {"auroc": audio_to_pixel_auroc(rows, vectors)}
    single = ~rows["category"].isin([SEVERAL, UNKNOWN])
    pixels = (rows["kind"] == "foreground") & single
    audio = (rows["kind"] == "audio") & single & rows["sounding"]
    found["silhouette"] = _silhouette(rows[pixels], vectors[pixels])
    found["purity"] = _purity(rows[pixels], vectors[pixels], rows[pixels], vectors[pixels])
    found["cross_modal_purity"] = _purity(
        rows[audio], vectors[audio], rows[pixels], vectors[pixels]
    )
    shares = rows[pixels]["category"].value_counts(normalize=True)
    found["chance_purity"] = float((shares**2).sum()) if len(shares) else float("nan")
    generator = np.random.default_rng(seed)
    found["alignment"] = _alignment(rows, vectors)
    objects = (rows["kind"] == "foreground") | ((rows["kind"] == "audio") & rows["sounding"])
    found["uniformity"] = _uniformity(vectors[objects], generator)
    sounding_audio = ((rows["kind"] == "audio") & rows["sounding"]).to_numpy()
    visual = (rows["kind"] == "foreground").to_numpy()
    gap = float("nan")
    if sounding_audio.any() and visual.any():
        gap = float(np.linalg.norm(vectors[sounding_audio].mean(0) - vectors[visual].mean(0)))
    found["modality_gap"] = gap
    return found


def audio_to_pixel_auroc(rows: pd.DataFrame, vectors: Vectors) -> float:
    """AUROC of the cosine to the frame's audio point, object against background pixels.

    Mean over the frames that have both; NaN where none has.
    """
    scores = []
    for _, frame in rows.groupby(["clip", "frame"], sort=False):
        kinds = frame["kind"].to_numpy()
        own = vectors[frame.index]
        pixels = np.isin(kinds, ("foreground", "background"))
        labels = kinds[pixels] == "foreground"
        if labels.any() and not labels.all() and (kinds == "audio").any():
            scores.append(roc_auc_score(labels, own[pixels] @ own[kinds == "audio"][0]))
    return float(np.mean(scores)) if scores else float("nan")


def _silhouette(rows: pd.DataFrame, vectors: Vectors) -> float:
    categories = rows["category"].nunique()
    if not 2 <= categories < len(rows):
        return float("nan")
    return float(silhouette_score(vectors, rows["category"], metric="cosine"))


def _purity(rows: pd.DataFrame, vectors: Vectors, others: pd.DataFrame, pool: Vectors) -> float:
    """Share of the nearest points of other clips that are of a point's class, mean over points."""
    if not len(rows) or not len(others):
        return float("nan")
    similarity = vectors @ pool.T
    same_clip = rows["clip"].to_numpy()[:, None] == others["clip"].to_numpy()[None]
    similarity = np.where(same_clip, -np.inf, similarity)
    count = min(NEIGHBOURS, int((~same_clip).sum(axis=1).min()))
    if count < 1:
        return float("nan")
    nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
    same = others["category"].to_numpy()[nearest] == rows["category"].to_numpy()[:, None]
    return float(same.mean())


def _alignment(rows: pd.DataFrame, vectors: Vectors) -> float:
    distances = []
    for _, frame in rows[rows["sounding"]].groupby(["clip", "frame"], sort=False):
        kinds, own = frame["kind"].to_numpy(), vectors[frame.index]
        if (kinds == "foreground").any() and (kinds == "audio").any():
            difference = own[kinds == "foreground"] - own[kinds == "audio"][0]
            distances.append(float((difference**2).sum(axis=1).mean()))
    return float(np.mean(distances)) if distances else float("nan")


def _uniformity(vectors: Vectors, generator: np.random.Generator) -> float:
    if len(vectors) < 2:
        return float("nan")
    if len(vectors) > _MOST_PAIRS:
        vectors = vectors[generator.choice(len(vectors), _MOST_PAIRS, replace=False)]
    squared = np.maximum(0, 2 - 2 * vectors @ vectors.T)  # of points of unit length
    pairs = squared[np.triu_indices(len(vectors), k=1)]
    return float(np.log(np.exp(-2 * pairs).mean()))


def _draw(
    run_dir: Path, per_kind: int, max_clips: int | None, split: str, seed: int
) -> tuple[list[tuple[Any, ...]], dict[str, list[Vectors]]]:
    from auralsam2 import config
    from auralsam2.data.heard_classes import heard_classes
    from auralsam2.engine.embedding_points import draw_points
    from auralsam2.engine.evaluate import test_datasets, trained_model
    from auralsam2.engine.run_target import find_target
    from auralsam2.registry import load_all

    target = find_target(str(run_dir), None)
    cfg = config.load(target.config)
    load_all()
    dataset = test_datasets(cfg)[split]
    heard = heard_classes(dataset)
    model = trained_model(cfg, target.checkpoint)
    rows: list[tuple[Any, ...]] = []
    vectors: dict[str, list[Vectors]] = {}
    frames = draw_points(model, cfg, dataset, per_kind=per_kind, max_clips=max_clips, seed=seed)
    for frame in frames:
        category = _category(heard.get(frame.clip, frozenset()), frame.frame)
        for kind, own in frame.vectors.items():
            key = (frame.clip, frame.frame, frame.level, frame.space, kind)
            rows += [(*key, frame.sounding, category)] * len(own)
            vectors.setdefault(frame.space, []).append(own)
    return rows, vectors


def _category(heard: Any, frame: int) -> str:
    """The class that sounds, where it is one and the data say so."""
    classes = heard[frame] if isinstance(heard, list) else heard
    if not classes:
        return UNKNOWN
    return str(next(iter(classes))) if len(classes) == 1 else SEVERAL


def _settings(
    run_dir: Path, per_kind: int, max_clips: int | None, split: str, seed: int
) -> dict[str, Any]:
    from auralsam2.engine.provenance import code_version

    weights = run_dir / "best.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16] if weights.is_file() else None
    return {
        "schema": _SCHEMA,
        "weights": digest,
        "per_kind": per_kind,
        "max_clips": max_clips,
        "split": split,
        "seed": seed,
        "code_version": code_version(),
    }


def _dtype(column: Any) -> Any:
    return str if column.dtype == object or str(column.dtype).startswith("str") else column.dtype
