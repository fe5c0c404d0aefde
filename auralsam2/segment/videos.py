"""Many videos into one folder; what is done is skipped, and one that fails stops no other."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from auralsam2.config_identity import Difference, differences
from auralsam2.engine.identity import file_digests
from auralsam2.engine.out_of_memory import is_out_of_memory
from auralsam2.engine.run_folder import OtherRunError
from auralsam2.listing import files_in, folders_in
from auralsam2.messages import ProblemsError
from auralsam2.predictor.hearing import TextError
from auralsam2.segment.one_video import CutShortError, Request, segment_video
from auralsam2.segment.outputs import Glance
from auralsam2.segment.prompts import PromptsError
from auralsam2.text_files import write_text

RECORD = "record.json"
PARTIAL = ".partial"
"""Behind the name of a folder whose video did not come to its end."""
DONE, CUT, UNFINISHED = "done", "cut short", "unfinished"

Bar = Callable[[str], AbstractContextManager[Mapping[str, Callable[..., None]]]]


class VideoError(ValueError):
    """A video that did not come to its end."""


class Outcome(NamedTuple):
    """What became of videos, by the names of their folders."""

    written: dict[str, str]  # of those that were segmented now: what to know of them, or ""
    skipped: list[str]  # those that were there
    failures: dict[str, str]  # what is wrong with the others, and where what they gave lies


def segment_videos(
    videos: Mapping[str, Path],
    out: Path,
    load_predictor: Callable[[], Any],
    model: Mapping[str, str],
    request: Request,
    draw_sheet: Callable[[Glance, Path], None],
    bar: Bar,
) -> Outcome:
    """Segment every video into a folder below ``out``.

    A folder gets its name when all is written; else it is called ``NAME.partial``.

    Args:
        videos: name of its folder -> file.
        out: made where it does not exist.
        load_predictor: called once, where anything is left to do.
        model: what says which model it is: its weights and config.
        request: what to segment.
        draw_sheet: draws a sheet to a path.
        bar: called with a name, shows how far that video is.

    Raises:
        ProblemsError: before anything is written, where folders were made with other settings.
        PromptsError: where clicks or boxes lie outside of the video.
        TextError: where the model reads no text, or wants one.
    """
    outcome, predictor = Outcome({}, [], {}), None
    for name, settings in _plans(videos, out, model, request).items():
        if _is_done(out / name, settings):  # maybe by another process, just now
            outcome.skipped.append(name)
            continue
        predictor = predictor or load_predictor()
        try:
            with bar(name) as told, _whole_or_partial(out / name, settings) as folder:
                steps = {"on_start": told["on_start"], "on_frame": told["on_clip"]}
                how = (predictor, request, draw_sheet)
                outcome.written[name] = segment_video(videos[name], folder, *how, **steps)
        except VideoError as error:
            outcome.failures[name] = str(error)
    return outcome


def _plans(
    videos: Mapping[str, Path], out: Path, model: Mapping[str, str], request: Request
) -> dict[str, dict[str, Any]]:
    """Return name -> settings; folders that were made with others are refused, all at once."""
    plans = {name: _settings(video, model, request) for name, video in videos.items()}
    refused = []
    for name, settings in plans.items():
        try:
            _is_done(out / name, settings)
        except OtherRunError as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise ProblemsError(map(str, refused), f"'{out}'")
    return plans


def _settings(video: Path, model: Mapping[str, str], request: Request) -> dict[str, Any]:
    """All that the outputs of a video hang on."""
    files = {"video": video} | ({} if request.audio is None else {"audio": request.audio})
    contents = file_digests({key: os.fspath(path) for key, path in files.items()})
    return {
        **model,
        **contents,
        "text": request.text,
        "fps": request.fps,
        "prompts": sorted(prompt.text for prompt in request.prompts),
    }


def _is_done(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Whether a video's folder is whole.

    Raises:
        OtherRunError: where it, or what there is of it, was made with other settings, or by nobody
            knows whom.
    """
    for place in (folder, partial(folder)):
        if not _inside(place):  # empty: another process has just made it
            continue
        try:
            record = json.loads((place / RECORD).read_text(encoding="utf-8"))
            found = differences(record["settings"], settings)
        except (OSError, ValueError, LookupError, TypeError):
            found = [Difference(RECORD, "missing or damaged", "the settings")]
        if found:
            ways = ["another folder: --out", f"delete '{place}'"]
            raise OtherRunError(place, "what was made with other settings", found, ways)
    return (folder / RECORD).exists()


def _inside(folder: Path) -> list[Path]:
    return [*files_in(folder), *folders_in(folder)]


def partial(folder: Path) -> Path:
    """Return what a video's folder is called until it is whole."""
    return folder.with_name(folder.name + PARTIAL)


@contextmanager
def _whole_or_partial(folder: Path, settings: Mapping[str, Any]) -> Iterator[Path]:
    """Give a folder to write into that gets its name if nothing goes wrong.

    Raises:
        VideoError: where something does, saying where that lies which was written, or where another
            process writes there.
        PromptsError, TextError: which are no fault of the video.
    """
    place = partial(folder)
    place.mkdir(parents=True, exist_ok=True)
    with _held(place):
        _record(place, settings, UNFINISHED)
        for left in _inside(place):  # by a call that was stopped; its settings are these
            if left.name != RECORD:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield place
        except (PromptsError, TextError):
            shutil.rmtree(place)
            raise
        except CutShortError as error:
            _record(place, settings, CUT, str(error))
            raise VideoError(f"{error}; what is there is in '{place}'") from error
        except (ValueError, OSError, RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and not is_out_of_memory(error):
                raise
            problem = str(error).partition("\n")[0] or "out of memory"
            if [file.name for file in _inside(place)] == [RECORD]:
                shutil.rmtree(place)
                raise VideoError(problem) from error
            _record(place, settings, UNFINISHED, problem)
            raise VideoError(f"{problem}; what is there is in '{place}'") from error
        _record(place, settings, DONE)
        os.replace(place, folder)


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Keep a folder to one process; the system lets go of it when this process is gone.

    Raises:
        VideoError: where another process has it, or has just completed it.
    """
    opened = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(opened), place.stat()):
            raise FileNotFoundError(place)
    except (BlockingIOError, FileNotFoundError) as error:
        os.close(opened)
        raise VideoError(
            f"another process writes '{place}': wait for its end, or take another --out"
        ) from error
    try:
        yield
    finally:
        os.close(opened)


def _record(folder: Path, settings: Mapping[str, Any], status: str, problem: str = "") -> None:
    """Write what a folder was made with, and how far it came."""
    record = {"status": status, "problem": problem, "settings": settings}
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")
