"""What stands in for data and weights that are not here: time and memory do not hang on them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config

from auralsam2.data.problems import DataError
from auralsam2.data.synthetic.layout import SMALLEST, Plan
from auralsam2.data.synthetic.writer import LAYOUTS, write_clips
from auralsam2.engine.splits import run_datasets
from auralsam2.model_parts import parts_of
from auralsam2.signature import parameters_of
from auralsam2.weight_files import BUILTIN, FILE_KEYS


def without_weights(model: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Overrides that let every part of a model that reads a file of weights start at random."""
    for part in parts_of(model):
        for key in FILE_KEYS:
            stated = part.arguments.get(key)
            if stated is None or str(stated).startswith(BUILTIN):
                continue
            yield f"{part.path}.{key}", None
            if "random_weights" in parameters_of(part.component).known:
                yield f"{part.path}.random_weights", True


@contextmanager
def synthetic_clips(cfg: Config, num_frames: int | None = None) -> Iterator[str]:
    """Clips in the layout that a config's data sets read, as a ``data.root`` that goes afterwards.

    Args:
        cfg: a loaded config; two of its batches are written to train on, two to validate on.
        num_frames: T; by default the layout's own.

    Raises:
        ValueError: where the data sets read none of the layouts.
    """
    with tempfile.TemporaryDirectory(prefix="auralsam2-") as folder:
        layout = layout_of(cfg, Path(folder))
        root, clips = Path(folder) / "clips", 2 * cfg.data.batch_size
        frames = LAYOUTS[layout].num_frames if num_frames is None else num_frames
        write_clips(root, _plan(layout, clips, num_frames=frames))
        yield str(root)


def _plan(layout: str, clips: int, **settings: int) -> Plan:
    """A plan of clips to train on and as many to validate on, and one to test on."""
    shape = LAYOUTS[layout]
    counts = (clips, clips, *[1] * (len(shape.splits) - 2))
    return Plan(layout, counts, seed=0, unseen=shape.default_unseen, **settings)


def layout_of(cfg: Config, folder: Path) -> str:
    """The layout that a config's data sets read: each is tried on clips of a few pixels.

    Raises:
        ValueError: telling what the data sets say to each layout.
    """
    problems = []
    for name, shape in LAYOUTS.items():
        if len(shape.splits) == 1:
            continue  # nothing to train on, as of videos
        root = folder / f"{name}-tried"
        few = dict(size=SMALLEST, num_frames=shape.fewest_frames)
        write_clips(root, _plan(name, 1, **few))
        tried = Config(cfg.to_dict())
        tried.data.root, tried.data.test, tried.evaluation.counterfactuals = str(root), {}, ()
        try:
            run_datasets(tried)
        except (DataError, ValueError, OSError) as error:
            reason = str(error).partition("\n")[0].replace(str(root), name)
            problems.append(f"  - {name}: {reason}")
        else:
            return name
    raise ValueError(
        "no synthetic clips for the data sets of this config, which read none of the layouts; "
        "set data.root to their data:\n" + "\n".join(problems)
    )
