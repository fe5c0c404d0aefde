"""Extract the clips of a data set from raw videos, and go on where an earlier call stopped."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.preparation.extraction import Job, extract
from auralsam2.data.preparation.layouts import LAYOUTS, Source, Wanted, read_wanted
from auralsam2.listing import files_below

VIDEO_SUFFIXES = (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm")
SCRATCH = ".preparing"


class Preparation(NamedTuple):
    """What became of the clips.

    Attributes:
        written: names of clips of which anything was written.
        skipped: names of clips that were there.
        failures: name of a clip -> what is wrong with it.
    """

    written: list[str]
    skipped: list[str]
    failures: dict[str, str]


def prepare(
    videos: Path,
    out: Path,
    layout: str,
    index: Path | None = None,
    *,
    named: str | None = None,
    frames_at: str = "end",
    workers: int = 1,
    on_start: Callable[[int], None] | None = None,
    on_clip: Callable[[], None] | None = None,
) -> Preparation:
    """Write ``frames/{0..T-1}.jpg`` and ``audio.wav`` of every clip, see :func:`extract`.

    A clip that cannot be extracted does not stop the others.

    Args:
        videos: folder of videos, searched with all folders below it.
        out: root of the data set; clips that are there are left as they are.
        layout: name of ``LAYOUTS``.
        index: table of the clips, which is copied to its place in ``out``; where None, the first
            T seconds of every video make a clip of its name, and no index is written.
        named: ``uid``: take files named after clips only, which hold the clip alone; ``vid``:
            take files named after recordings only, which are cut at ``s_min:s_sec``; None: take
            whichever is there, the clip's own first.
        frames_at: ``end``, ``middle`` or ``start`` of each second.
        workers: processes.
        on_start: called with the number of clips.
        on_clip: called after each clip.

    Raises:
        FileNotFoundError: where the folder of videos, any video or the index is missing.
        DataError: where the index is broken.
    """
    rules = LAYOUTS[layout]
    files = _by_stem(videos)
    wanted = read_wanted(index, rules) if index else _all_of(files)
    jobs, failures = _jobs(wanted, files, out, layout, named)
    if on_start:
        on_start(len(jobs))
    work = partial(_attempt, num_frames=rules.num_frames, frames_at=frames_at)
    done: dict[str, bool] = {}
    for name, result in _run(work, jobs, workers):
        if isinstance(result, str):
            failures[name] = result
        else:
            done[name] = result
        if on_clip:
            on_clip()
    shutil.rmtree(out / SCRATCH, ignore_errors=True)
    if index:
        _copy_index(index, out / rules.table)
    order = [clip.name for clip in wanted]
    return Preparation(
        [name for name in order if done.get(name) is True],
        [name for name in order if done.get(name) is False],
        {name: failures[name] for name in order if name in failures},
    )


def _by_stem(videos: Path) -> dict[str, list[Path]]:
    if not videos.is_dir():
        raise FileNotFoundError(f"no folder of videos at '{videos}'")
    files: dict[str, list[Path]] = {}
    for path in sorted(files_below(videos), key=lambda path: (path.stem, path)):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            files.setdefault(path.stem, []).append(path)
    if not files:
        known = ", ".join(suffix[1:] for suffix in VIDEO_SUFFIXES)
        raise FileNotFoundError(f"no video in '{videos}'; known endings: {known}")
    return files


def _all_of(files: dict[str, list[Path]]) -> list[Wanted]:
    return [Wanted(stem, (Source("uid", stem, 0.0),)) for stem in files]


def _jobs(
    wanted: Sequence[Wanted],
    files: dict[str, list[Path]],
    out: Path,
    layout: str,
    named: str | None,
) -> tuple[list[Job], dict[str, str]]:
    """Clips whose video is found, and what is wrong with the others."""
    folder = LAYOUTS[layout].folder
    jobs, failures = [], {}
    for clip in wanted:
        sources = [s for s in clip.sources if named in (None, s.kind)]
        found = [(source, path) for source in sources for path in files.get(source.stem, ())]
        problem = _problem(sources, found)
        if problem:
            failures[clip.name] = problem
            continue
        source, video = found[0]
        target, scratch = out / folder / clip.name, out / SCRATCH / folder / clip.name
        jobs.append(Job(clip.name, video, source.start, target, scratch))
    return jobs, failures


def _problem(sources: Sequence[Source], found: Sequence[tuple[Source, Path]]) -> str:
    if not found:
        return "no video named " + " or ".join(dict.fromkeys(f"'{s.stem}'" for s in sources))
    first, path = found[0]
    twins = [str(p) for source, p in found if source == first]
    if len(twins) > 1:
        return f"more than one video of that name: {', '.join(twins)}"
    starts = {source.start for source, other in found if other == path}
    if len(starts) > 1:
        return (
            f"'{path}' is named after both the clip and its recording: state --named uid where it "
            f"holds the clip alone, --named vid where the clip begins at {max(starts):g} s of it"
        )
    return ""


def _attempt(job: Job, num_frames: int, frames_at: str) -> bool | str:
    """Whether anything was written, or what went wrong."""
    try:
        return extract(job, num_frames, frames_at)
    except (ValueError, OSError) as error:
        return str(error)


def _run(
    work: Callable[[Job], bool | str], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[str, bool | str]]:
    if workers <= 1:
        yield from ((job.name, work(job)) for job in jobs)
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(work, job): job.name for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _copy_index(index: Path, place: Path) -> None:
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(index, place)
