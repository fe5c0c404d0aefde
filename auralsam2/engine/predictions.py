"""Every predicted mask of a split as pictures, where the labels of its clips lie in the data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image
from torch import nn
from torch.utils.data import Subset

from auralsam2.config import config_hash
from auralsam2.data.datasets.semantic import class_colours
from auralsam2.data.labels import WHITE
from auralsam2.engine.evaluate import clip_loader
from auralsam2.engine.provenance import code_version
from auralsam2.engine.run_folder import claim_folder
from auralsam2.engine.splits import split_dataset
from auralsam2.registry import MODELS
from auralsam2.text_files import replacing, write_text

RECORD = "predictions.json"
"""In the folder once all of a split is there."""


class ClipPictures(NamedTuple):
    """Where the masks of a clip go."""

    clip: str
    paths: tuple[Path, ...]  # one a frame, below the folder of the predictions


def dataset_to_predict(cfg: Config, split: str) -> Any:
    """A split without its labels, unless the method's prompts are drawn from them.

    Raises:
        ValueError: where there is no such split.
        DataError: where files are missing, labels among them only for such a method.
    """
    return split_dataset(cfg, split, MODELS.lookup(cfg.model.type).prompted_by_truth)


def pictures_of(dataset: Any) -> list[ClipPictures]:
    """Of every clip, named as its frames are, in the folder where its labels would lie.

    Raises:
        ValueError: where the data set does not tell where labels lie.
    """
    if not hasattr(dataset, "label_folder"):
        raise ValueError(
            f"{dataset!r} does not tell where the labels of a clip lie (label_folder), and so not "
            "where its masks are to go"
        )
    # Clips that are left out are missing in ``clips``, and names may stand twice in it.
    files = iter(enumerate(dataset.files))
    found = []
    for name in dataset.clips:
        index, clip = next((i, clip) for i, clip in files if clip.uid == name)
        folder = dataset.label_folder(index)
        found.append(ClipPictures(name, tuple(folder / f"{f.stem}.png" for f in clip.frames)))
    return found


def claim(out: Path, cfg: Config, split: str, dataset: Any, checkpoint: Path | None) -> None:
    """Make a folder that of these predictions.

    Raises:
        OtherRunError: where it holds others, naming what differs.
    """
    settings = {
        "config": config_hash(cfg),
        "decode": cfg.evaluation.decode,
        "weights": None if checkpoint is None else sha256(checkpoint.read_bytes()).hexdigest(),
        "split": split,
        "data": dataset.fingerprint(),
    }
    claim_folder(out, settings, "*", way="delete what is in it")


def predict_split(
    model: nn.Module,
    cfg: Config,
    dataset: Any,
    out: Path,
    on_clip: Callable[[], None] = lambda: None,
) -> int:
    """Write the masks of all clips that are not there yet, and the record of the whole.

    A mask is white where the object is and black elsewhere, (H, W) as its frame; that of a method
    with a class head has the number of each pixel's class, in a palette of AVSBench's colours.

    Returns:
        How many clips were predicted; the others were there.
    """
    pictures = pictures_of(dataset)
    todo = [i for i, p in enumerate(pictures) if not all((out / f).is_file() for f in p.paths)]
    model.eval()
    with torch.no_grad():
        for place, result in zip(todo, _results(model, cfg, dataset, todo), strict=True):
            for path, picture in zip(pictures[place].paths, _as_pictures(result), strict=False):
                with replacing(out / path) as unfinished:
                    picture.save(unfinished, "png")
            on_clip()
    record = {
        **json.loads((out / "settings.json").read_text(encoding="utf-8")),
        "clips": len(pictures),
        "masks": sum(len(p.paths) for p in pictures),
        "left_out": dict(getattr(dataset, "left_out", ())),
        "code_version": code_version(),
    }
    write_text(out / RECORD, json.dumps(record, indent=1) + "\n")
    return len(todo)


def _results(model: nn.Module, cfg: Config, dataset: Any, indices: list[int]) -> Iterator[Any]:
    """What the model answers to clips, one after the other."""
    if indices:
        for batch in clip_loader(cfg, Subset(dataset, indices)):
            yield from model.val_step(batch)


def _as_pictures(result: Mapping[str, Any]) -> Iterator[Image.Image]:
    """One a frame; frames that only fill a clip up come last."""
    if (classes := result.get("predicted_classes")) is None:
        for mask in (result["mask_logits"] > 0).cpu().numpy():
            yield Image.fromarray(mask.astype(np.uint8) * np.uint8(WHITE), "L")
        return
    palette = class_colours(result["class_logits"].shape[1]).tobytes()
    for frame in classes.cpu().numpy():
        picture = Image.fromarray(frame.astype(np.uint8), "P")
        picture.putpalette(palette)
        yield picture
