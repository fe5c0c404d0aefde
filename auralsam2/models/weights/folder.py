"""Folders of transformers, a model and its files; never downloaded, and nothing stays random."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from auralsam2.messages import unknown_values
from auralsam2.models.weights.loading import (
    NONE,
    Coverage,
    Tolerance,
    load_weights,
    misfit,
    note_coverage,
)
from auralsam2.models.weights.reading import check_whole, read_state, unreadable, weight_file
from auralsam2.weight_files import SOURCES

INSTALL = "pip install 'auralsam2[text]'"
"""What brings transformers."""
BUILDS = ("mini", "published")
"""Sizes of random weights."""
SEED = 0
"""Of random weights."""
WORDS = ("config.json", "tokenizer.json", "vocab.json", "vocab.txt", "merges.txt")


def load_folder(
    model_class: Any,
    folder: Path,
    owner: str,
    kind: str,
    tolerance: Tolerance = NONE,
    **options: Any,
) -> Any:
    """The model of a folder, in float32, with all of its weights.

    Args:
        model_class: of transformers, one with ``from_pretrained``.
        folder: where ``config.json`` and the weights are.
        owner: name of the class that asks, for errors.
        kind: what the model is, for errors, such as "text model".
        tolerance: names that the files may have or lack.
        **options: further ones of ``from_pretrained``.

    Raises:
        ValueError: where files are damaged, or their weights do not fit the config.
    """
    with reading(folder, owner):
        _check_files(folder)
        with _quietly():
            network, info = model_class.from_pretrained(
                folder,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # told below, with all else that does not fit
                **options,
            )
    what = f"the {kind} that '{folder / 'config.json'}' describes"
    _settle_weights(network, folder, info, what, tolerance)
    return network.float()


def random_model(model_class: Any, config: Any) -> Any:
    """A model of random weights, the same ones every time.

    The libraries draw globally. What is frozen stands in no checkpoint of a run: it has to come out
    the same whenever the run is looked at again.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(SEED)
        return model_class(config)


def check_size(size: str, owner: str) -> None:
    """Raise a ValueError unless ``size`` is one of ``BUILDS``, be it used or not."""
    if wrong := unknown_values(size=(size, BUILDS)):
        raise ValueError(f"{owner}: {wrong[0]}")


def of_transformers(name: str, owner: str, install: str = INSTALL) -> Any:
    """A class of transformers.

    Raises:
        ImportError: naming what to install where transformers is missing, or too old to have it.
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(f"{owner} needs transformers: {install}") from error
    if not hasattr(transformers, name):
        raise ImportError(
            f"{owner} needs a transformers that has {name}, got {transformers.__version__}: "
            f"{install}"
        )
    return getattr(transformers, name)


def read_config(folder: Path, owner: str, known: Collection[str], published: str) -> Any:
    """The config of a folder.

    Args:
        folder: where ``config.json`` is.
        owner: name of the class that asks, for errors.
        known: types of models that it can be.
        published: name of a published folder of ``SOURCES``.

    Raises:
        ImportError: where transformers is missing, or too old to know the type.
        ValueError: where the file is damaged or of a model of another type.
    """
    auto = of_transformers("AutoConfig", owner)
    with reading(folder, owner):
        check_whole(folder / "config.json")
        stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    got = stated.get("model_type") if isinstance(stated, dict) else None
    if got not in known:
        raise ValueError(
            f"{owner}: '{folder / 'config.json'}' describes a model of type {got!r}; known: "
            f"{', '.join(known)}; a published one is {published}, from {SOURCES[published]}"
        )
    with reading(folder, owner):
        return auto.from_pretrained(folder, local_files_only=True)


@contextmanager
def reading(folder: Path, owner: str) -> Iterator[None]:
    """Say in one ValueError whatever transformers' readers raise of a folder."""
    try:
        yield
    except Exception as error:  # transformers lets through whatever its readers raise
        reason = str(error) if isinstance(error, ValueError) else unreadable(folder, error)
        raise ValueError(f"{owner}: {reason}") from error


def _check_files(folder: Path) -> None:
    """Read the files before transformers does, whose errors may advise to run their code."""
    for file in (folder / name for name in WORDS):
        if file.is_file():
            check_whole(file)
    if weight_file(folder).is_file():
        read_state(weight_file(folder))


def _settle_weights(
    network: Any, folder: Path, info: Mapping[str, Any], what: str, tolerance: Tolerance
) -> None:
    """Refuse what transformers would leave random; take wrappers off that it does not know."""
    lacking = [*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])]
    missing = [key for key in lacking if not key.startswith(tolerance.optional)]
    path = weight_file(folder)
    if not missing:
        own = [key for key in network.state_dict() if not key.startswith(tolerance.optional)]
        note_coverage(network, path, Coverage(tuple(own)))
        return
    matched = network.state_dict().keys() - set(lacking)
    if matched or path == folder:
        # Told by transformers' names, into which it translates those of older files.
        shapes = tuple(f"{key}: {tuple(a)}, {tuple(b)}" for key, a, b in info["mismatched_keys"])
        lost, extra = set(missing) & set(info["missing_keys"]), info["unexpected_keys"]
        found = Coverage(tuple(sorted(matched)), tuple(sorted(lost)), tuple(sorted(extra)), shapes)
        raise ValueError(misfit(path, what, found))
    prefixed = tolerance._replace(wrappers=(*tolerance.wrappers, network.base_model_prefix))
    load_weights(network, path, what=what, tolerance=prefixed)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the bar of a half-second load out of the bars of a grid, and lists of what is not used.

    What does not fit is told by us, and parts of a model that is not asked for are no fault.
    """
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
