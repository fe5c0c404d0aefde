"""Clips a second that the loader delivers, and where its time goes.

python benchmarks/bench_loader.py --sizes 224 512 1024 --workers 0 2 --out loader.csv

Synthetic clips are written to a temporary folder and read as for training: every transform of the
AVSBench configs, nothing kept in memory. Stages are timed in one process; what they do not cover
is "rest". Files lie in the system's cache after the first pass, so that no disk is measured.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import pandas as pd
import torch
from bench_step import Clock
from torch.utils.data import DataLoader

from auralsam2.command_line import Parser
from auralsam2.config import load
from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets import clip_dataset
from auralsam2.data.datasets.clip_dataset import ClipDataset
from auralsam2.data.images import Resizing
from auralsam2.data.log_mel_cache import LogMelCache
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.registry import DATASETS

STAGES = ("decode", "augment", "resize", "audio", "collate")


@contextmanager
def watched(dataset: ClipDataset) -> Iterator[Clock]:
    """Time the stages of a data set while it is read in this process."""
    watch = Clock()
    rule = clip_dataset.LABEL_RULES[dataset.label_rule]
    rules = {dataset.label_rule: watch.timed("decode", rule)}
    transforms = dataset.augmentation.transforms
    resizing = ("resize_frames", "resize_labels")
    with ExitStack() as stack:
        read = watch.timed("decode", clip_dataset.read_image)
        stack.enter_context(patch.object(clip_dataset, "read_image", read))
        stack.enter_context(patch.dict(clip_dataset.LABEL_RULES, rules))
        for name in resizing:
            method = watch.timed("resize", getattr(Resizing, name))
            stack.enter_context(patch.object(Resizing, name, method))
        sound = watch.timed("audio", dataset._log_mel)
        stack.enter_context(patch.object(dataset, "_log_mel", sound))
        timed = [watch.timed("augment", transform) for transform in transforms]
        stack.enter_context(patch.object(dataset.augmentation, "transforms", timed))
        yield watch


def build(root: Path, size: int, log_mel_cache: Path | None) -> ClipDataset:
    """Training clips with the transforms of the shipped configs; nothing is kept in memory."""
    node = load("auralsam2/published/v1m").data.train.to_dict()
    dataset: ClipDataset = DATASETS.build(
        {**node, "root": str(root), "image_size": size, "cache": False}
    )
    if log_mel_cache:
        dataset.log_mel_cache = LogMelCache(log_mel_cache)
    return dataset


def stages(dataset: ClipDataset, collate: Callable[..., Any] = collate_clips) -> dict[str, float]:
    """Milliseconds a clip of every stage, in this process."""
    dataset[0]  # imports and filter banks
    with watched(dataset) as watch:
        join = watch.timed("collate", collate)
        start = time.perf_counter()
        for index in range(len(dataset)):
            join([dataset[index]])
        total = time.perf_counter() - start
    spent = {stage: 1000 * watch.wall.get(stage, 0.0) / len(dataset) for stage in STAGES}
    return {**spent, "rest": 1000 * total / len(dataset) - sum(spent.values())}


def clips_per_second(dataset: ClipDataset, num_workers: int, passes: int) -> float:
    """Speed of whole passes after a first one, which starts the workers."""
    loader = DataLoader(
        dataset,
        batch_size=1,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        collate_fn=collate_clips,
        worker_init_fn=_one_thread,
    )
    for _ in loader:
        pass
    start = time.perf_counter()
    for _ in range(passes):
        for _ in loader:
            pass
    return passes * len(dataset) / (time.perf_counter() - start)


def _one_thread(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def measure(options: argparse.Namespace, folder: Path) -> pd.DataFrame:
    """One row a size and kind of sound reading."""
    root = folder / "clips"
    write_clips(root, Plan("v1m", (options.clips, 1, 1), seed=0, size=options.native))
    rows = []
    for cached in (False, True):
        for size in options.sizes:
            dataset = build(root, size, folder / "log_mels" if cached else None)
            row: dict[str, Any] = {"size": size, "log_mel_cache": cached}
            for workers in options.workers:
                speed = clips_per_second(dataset, workers, options.passes)
                row[f"clips_per_second_{workers}_workers"] = speed
            rows.append(row | {f"{k}_ms": v for k, v in stages(dataset).items()})
    return pd.DataFrame(rows)


def main(argv: list[str] | None = None) -> None:
    """Measure, print and, where asked, write the numbers."""
    parser = Parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 512, 1024])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--native", type=int, default=512, help="side of the files' pictures")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="CSV to write")
    options = parser.parse_args(argv)
    _one_thread(0)
    with tempfile.TemporaryDirectory() as folder:
        table = measure(options, Path(folder))
    load_average, cores = os.getloadavg()[0], os.cpu_count()
    print(
        f"{options.clips} clips of 5 frames, {options.native} px in their files; {cores} cores, "
        f"load {load_average:.1f} at the end"
    )
    shown = table.rename(columns=lambda name: name.replace("_", " "))
    print(shown.to_string(index=False, float_format="{:.1f}".format))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
