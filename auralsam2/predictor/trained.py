"""From a run folder or a checkpoint to a model and how its run saw and heard."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from mmengine.config import Config
from torch import nn

from auralsam2.config import load, parse_overrides
from auralsam2.data.images import Resizing
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.run_folder import find_target
from auralsam2.engine.splits import asked_hearing, data_settings
from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.models.tracking import MemoryTracker
from auralsam2.models.weights import locate
from auralsam2.predictor.sound import Listening
from auralsam2.registry import MODELS
from auralsam2.weight_files import BUILTIN

DEFAULT = f"{BUILTIN}auralsam2-mini"
DEFAULT_CONFIG = "auralsam2/mini_shipped"

Made = TypeVar("Made", bound="OfTrained")


class Trained(NamedTuple):
    """A model, and how the clips of its run are made."""

    model: AuralSAM2
    resizing: Resizing  # of frames
    listening: Listening = Listening()
    num_frames: int = 5  # T, frames of a clip, one second apart


class OfTrained:
    """Constructors of what is made of a :class:`Trained` alone."""

    @classmethod
    def from_run(cls: type[Made], run: str | os.PathLike[str], device: str | None = None) -> Made:
        """Of a run folder, with its best weights.

        Raises:
            FileNotFoundError: where there is no run folder, or it has no weights yet.
            ValueError: where the model is no AuralSAM2, or its weights do not fit.
        """
        folder = Path(os.path.expanduser(run))
        if not folder.is_dir():
            raise FileNotFoundError(f"no run folder at '{folder}'")
        name, weights = find_target(str(folder), None)
        if weights is None:
            raise FileNotFoundError(
                f"'{folder}' has no trained weights yet: wait for the run's end, or take a "
                "checkpoint by from_checkpoint(..., config=...)"
            )
        return cls._of(name, weights, (), device)

    @classmethod
    def from_checkpoint(
        cls: type[Made],
        checkpoint: str | os.PathLike[str] = DEFAULT,
        config: str | os.PathLike[str] | None = None,
        overrides: Iterable[str] = (),
        device: str | None = None,
    ) -> Made:
        """Of a config with the weights of a file.

        Args:
            checkpoint: path, or ``builtin://NAME``.
            config: name or path; default: the one that lies beside the checkpoint in its run
                folder, and that of the weights which come with the package.
            overrides: ``KEY=VALUE``, as after ``--set``.
            device: as ``runtime.device`` names it; default: the config's.

        Raises:
            FileNotFoundError: where there is no such checkpoint or config.
            ValueError: where the model is no AuralSAM2, or the weights do not fit.
        """
        path = locate(checkpoint)
        if not path.is_file():
            raise FileNotFoundError(f"no checkpoint at '{os.fspath(checkpoint)}'")
        if config is None and os.fspath(checkpoint).startswith(BUILTIN):
            config = DEFAULT_CONFIG
        if config is None:
            try:
                config, _ = find_target(str(path.parent), path)
            except FileNotFoundError as error:
                raise FileNotFoundError(
                    f"'{path}' lies in no run folder: state the config that it was trained with, "
                    "config='auralsam2/mini_v1s' for instance"
                ) from error
        return cls._of(config, path, overrides, device)

    @classmethod
    def _of(
        cls: type[Made],
        config: str | os.PathLike[str],
        weights: Path,
        overrides: Iterable[str],
        device: str | None,
    ) -> Made:
        changes = parse_overrides(list(overrides))
        if device is not None:
            changes["runtime.device"] = str(device)
        return cls(of_config(load(config, changes), weights))  # type: ignore[call-arg]


def check_model(model: nn.Module | type[nn.Module]) -> None:
    """Refuse what has no audio prompts for a SAM2.

    Raises:
        ValueError: naming the class, and what predicts by it.
    """
    kind = model if isinstance(model, type) else type(model)
    if not issubclass(kind, AuralSAM2):
        raise ValueError(
            f"a predictor takes clicks and sound together, which an AuralSAM2 can; "
            f"{kind.__name__} cannot. Its masks of a data set are written by: "
            "auralsam2 predict RUN"
        )
    if isinstance(model, type):
        return
    from auralsam2.models.backbones.sam2.network import PromptableSAM2

    if not isinstance(model.backbone.network, PromptableSAM2):
        raise ValueError(
            "a predictor is SAM2's official one around a run's SAM2, not around a "
            f"{type(model.backbone).__name__}; its masks of a data set are written by: "
            "auralsam2 predict RUN"
        )
    if not isinstance(model.tracker, MemoryTracker):
        raise ValueError(
            f"a predictor tracks as MemoryTracker does, not as {type(model.tracker).__name__}"
        )


def of_config(cfg: Config, weights: Path | None) -> Trained:
    """The model of a loaded config, with the weights of a file if one is given.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the model is no AuralSAM2, or the weights do not fit.
    """
    check_model(MODELS.lookup(cfg.model.type))
    model = trained_model(cfg, weights)
    assert isinstance(model, AuralSAM2)
    check_model(model)
    read = data_settings(next(iter(cfg.data.test.values())))
    return Trained(
        model.eval(),
        Resizing(cfg.data.image_size, read.frame_interpolation),
        Listening(read.audio_rule, *asked_hearing(cfg.model)),
        read.num_frames,
    )
