"""Raw videos to the frames and sounds of a benchmark's layout; goes on where a call stopped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from auralsam2.data.pairing import numbered
from auralsam2.data.preparation.layouts import LAYOUTS, Source, Wanted, read_wanted
from auralsam2.data.processes import in_processes
from auralsam2.data.video import read_audio_track, read_frames
from auralsam2.listing import files_below

VIDEO_SUFFIXES = (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm")
SCRATCH = ".preparing"
INSTANTS = {"end": 0.999, "middle": 0.5, "start": 0.0}
"""Which picture of a second is its frame: the last that begins before this part of it."""
JPEG_QUALITY = 95


class Preparation(NamedTuple):
    """Names of clips that were written and that were there; what is wrong with the others."""

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
    on_start: Callable[[int], None] = lambda total: None,
    on_clip: Callable[[], None] = lambda: None,
) -> Preparation:
    """Extract every clip, see :func:`extract`; one that fails does not stop the others.

    Args:
        videos: folder of videos, searched with all folders below it.
        out: root of the data set; clips that are there are left as they are.
        layout: name of ``LAYOUTS``.
        index: table of the clips, copied to ``out``; None: the first T seconds of every video.
        named: kind of :class:`Source` to take alone; None: the clip's own file before recordings.
        frames_at: a name of ``INSTANTS``.
        workers: processes.
        on_start: called with the number of clips.
        on_clip: called after each clip.

    Raises:
        FileNotFoundError: where the folder of videos, any video or the index is missing.
        DataError: where the index is broken.
    """
    files = _by_stem(videos)
    wanted = read_wanted(index, LAYOUTS[layout]) if index else [*map(Wanted.alone, files)]
    jobs, results = _jobs(wanted, files, out, layout, named)
    on_start(len(jobs))
    work = partial(_attempt, num_frames=LAYOUTS[layout].num_frames, frames_at=frames_at)
    for job, result in zip(jobs, in_processes(work, jobs, workers), strict=True):
        results[job.name] = result
        on_clip()
    shutil.rmtree(out / SCRATCH, ignore_errors=True)
    _copy_index(index, out / LAYOUTS[layout].table)
    return _sorted([clip.name for clip in wanted], results)


def _sorted(names: Sequence[str], results: Mapping[str, bool | str]) -> Preparation:
    return Preparation(
        [name for name in names if results[name] is True],
        [name for name in names if results[name] is False],
        {name: told for name in names if isinstance(told := results[name], str)},
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


def _jobs(
    wanted: Sequence[Wanted],
    files: dict[str, list[Path]],
    out: Path,
    layout: str,
    named: str | None,
) -> tuple[list[Job], dict[str, bool | str]]:
    """Clips whose video is found, and what is wrong with the others."""
    folder = LAYOUTS[layout].folder
    jobs: list[Job] = []
    failures: dict[str, bool | str] = {}
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


def _copy_index(index: Path | None, place: Path) -> None:
    if index and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(index, place)


class Job(NamedTuple):
    """A clip to extract: from which second of a video, and a scratch folder on the same disk."""

    name: str
    video: Path
    start: float
    target: Path
    scratch: Path


def extract(job: Job, num_frames: int, frames_at: str = "end") -> bool:
    """Write ``frames/{0..T-1}.jpg`` and ``audio.wav`` of a clip where they are missing.

    Frame t is the last picture of second t, in the video's own size, as AVSBench samples the
    frame at the end of each second (Zhou et al. 2022). Sound keeps the rate and the channels of
    the video, as 16-bit integers, since resampling is the front end's; it lasts T seconds, or less
    where the track ends earlier. Frames and sound appear whole or not at all, the sound last. What
    is there is never overwritten.

    Returns:
        Whether anything was written.

    Raises:
        ValueError: where the video cannot be decoded, lacks pictures of a second or has no sound
            there, or where the clip has frames, but not T.
        OSError: where the folder cannot be written.
    """
    frames, sound = job.target / "frames", job.target / "audio.wav"
    present = numbered(frames)
    if present.faults or list(present.files) not in ([], list(range(num_frames))):
        got = f"{len(present.files)} frames instead of {num_frames}, numbered from 0"
        raise ValueError(f"'{frames}' holds {got}; delete it")
    missing = {"with_frames": not present.files, "with_sound": not sound.is_file()}
    if not any(missing.values()):
        return False
    shutil.rmtree(job.scratch, ignore_errors=True)  # of a call that was killed
    job.scratch.mkdir(parents=True)
    try:
        _write(job, num_frames, frames_at, **missing)
        job.target.mkdir(parents=True, exist_ok=True)
        for place in (frames, sound):
            made = job.scratch / place.name
            if made.exists():
                os.replace(made, place)
    finally:
        shutil.rmtree(job.scratch, ignore_errors=True)
    return True


def _write(job: Job, num_frames: int, frames_at: str, with_frames: bool, with_sound: bool) -> None:
    import soundfile
    from PIL import Image

    if with_frames:
        times = [job.start + t + INSTANTS[frames_at] for t in range(num_frames)]
        folder = job.scratch / "frames"
        folder.mkdir()
        for t, image in enumerate(read_frames(job.video, times)):
            Image.fromarray(image).save(folder / f"{t}.jpg", quality=JPEG_QUALITY)
    if with_sound:
        samples, rate = read_audio_track(job.video, job.start, num_frames)
        soundfile.write(job.scratch / "audio.wav", samples, rate, subtype="PCM_16")
