"""Folders of transformers, a model and its files; never downloaded, and nothing stays random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from auralsam2.models.weights.loading import (
    NONE,
    Coverage,
    Tolerance,
    load_weights,
    misfit,
    note_coverage,
)
from auralsam2.models.weights.reading import check_whole, read_state, unreadable, weight_file

INSTALL = "pip install 'auralsam2[text]'"
"""What brings transformers."""
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
        with _without_progress_bar():
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
def _without_progress_bar() -> Iterator[None]:
    """Keep the bar of a half-second load out of the bars of a grid."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
