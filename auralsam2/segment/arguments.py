"""What a command line asks for, checked before anything is loaded or written; its predictor."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from auralsam2.config import config_hash, load
from auralsam2.data.example import example_clip
from auralsam2.data.preparation.prepare import VIDEO_SUFFIXES
from auralsam2.engine.identity import file_digests
from auralsam2.engine.run_folder import find_target
from auralsam2.listing import files_below
from auralsam2.messages import ProblemsError
from auralsam2.models.weights import locate
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import DEFAULT
from auralsam2.segment.one_video import Request
from auralsam2.segment.prompts import Prompt, PromptsError, parse_prompts


class ArgumentsError(ProblemsError):
    """Arguments that do not go, alone or together."""

    source = "arguments"


class Arguments(NamedTuple):
    """What is to be done."""

    videos: dict[str, Path]  # name of its folder -> file
    request: Request
    # How a predictor is made: ``{"run": ...}``, ``{"checkpoint": ..., "config": ...}`` or nothing,
    # for the weights that come with the package.
    model: dict[str, Any]


def read_arguments(
    videos: Sequence[Path],
    out: Path,
    *,
    clicks: Sequence[str] = (),
    boxes: Sequence[str] = (),
    run: Path | None = None,
    config: str | None = None,
    checkpoint: Path | None = None,
    **request: Any,
) -> Arguments:
    """Check what was asked for; no video means the clip that comes with the package.

    ``request`` are the other fields of `Request`.

    Raises:
        ArgumentsError: telling all that is wrong.
    """
    found, problems = find_videos(videos or [example_clip()], out)
    prompts: list[Prompt] = []
    try:
        prompts = parse_prompts(clicks, boxes)
    except PromptsError as error:
        problems += error.problems
    if (clicks or boxes) and len(found) > 1:
        problems.append(f"--click and --box are of one video, got {len(found)}")
    audio = request.get("audio")
    if audio is not None and not audio.is_file():
        problems.append(f"--audio: no sound file at '{audio}'")
    model = {"run": run, "config": config, "checkpoint": checkpoint}
    model = {key: value for key, value in model.items() if value is not None}
    problems += _model_problems(model)
    if problems:
        raise ArgumentsError(problems)
    return Arguments(found, Request(prompts, **request), model)


def _model_problems(model: Mapping[str, Any]) -> list[str]:
    problems = []
    if "run" in model and len(model) > 1:
        problems.append("--run has a config and weights of its own: leave --config, --checkpoint")
    if "config" in model and len(model) == 1:
        problems.append("--config wants the weights that go with it: --checkpoint FILE")
    run, checkpoint = model.get("run"), model.get("checkpoint")
    if run is not None and not run.is_dir():
        problems.append(f"--run: no run folder at '{run}'")
    if checkpoint is not None and not checkpoint.is_file():
        problems.append(f"--checkpoint: no weights at '{checkpoint}'")
    return problems


def find_videos(given: Sequence[Path], out: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the name of its folder below ``out`` -> file, and what is wrong.

    A file is called by its name, one of a folder by its path below that. What lies in ``out`` is no
    input.
    """
    found: dict[str, Path] = {}
    problems = []
    for path in given:
        files = _videos_of(path, out)
        if not files:
            endings = ", ".join(suffix[1:] for suffix in VIDEO_SUFFIXES)
            known = f"no video in '{path}'; known endings: {endings}"
            problems.append(known if path.is_dir() else f"no video at '{path}'")
        problems += [
            f"'{found[name]}' and '{file}' would both go to '{out / name}': give each its own --out"
            for name, file in files.items()
            if name in found and found[name].resolve() != file.resolve()
        ]
        found = files | found
    return found, problems


def _videos_of(path: Path, out: Path) -> dict[str, Path]:
    if not path.is_dir():
        return {path.name: path} if path.is_file() else {}
    return {
        file.relative_to(path).as_posix(): file
        for file in files_below(path)
        if file.suffix.lower() in VIDEO_SUFFIXES and out.resolve() not in file.resolve().parents
    }


def load_predictor(model: Mapping[str, Any]) -> AuralSAM2VideoPredictor:
    """Build the predictor that `Arguments` ask for by their ``model``."""
    if "run" in model:
        return AuralSAM2VideoPredictor.from_run(model["run"])
    return AuralSAM2VideoPredictor.from_checkpoint(**model)


def identity(model: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells models apart: hashes of the weights, and of what a config computes."""
    config, weights = model.get("config"), model.get("checkpoint", DEFAULT)
    if "run" in model:
        config, weights = find_target(os.fspath(model["run"]), None)
    found = {} if weights is None else file_digests({"weights": os.fspath(locate(weights))})
    return found if config is None else {**found, "config": config_hash(load(config))}
