"""What a benchmark of prompting has found as tables, with what has to be known of their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from auralsam2.engine.benchmark.parts import REST as OTHER
from auralsam2.engine.benchmark.prompting import CLICK, CLIP, FIRST, REST, SOUND
from auralsam2.engine.benchmark.report import Answered, Prompting, Spread
from auralsam2.engine.benchmark.table import Cells, Table, ms


def tables(found: Prompting) -> Iterator[Table]:
    """Of the clip, of what a person does then, and of the clip's parts."""
    frames, side = found.num_frames, found.conditions["image_size"]
    yield (
        f"a clip of {frames} frames at {side} px, from one click on the first one to all masks",
        _clip(found),
        [
            "counted is everything from frames and sound in memory to masks at the video's size; "
            f"medians of {found.rounds} rounds, in which the ways take turns",
            f"lost: share of the frames a second of {found.reference}, round by round; by the "
            "clock, and of CPU time, on which other load of the machine tells less",
        ],
    )
    yield (
        f"then: a second click on frame {frames - 1 - found.again}, and the sound at half weight",
        _then(found),
        [
            "click: to the mask of its frame; then the frames behind it are answered again, with "
            "another weight all frames",
        ],
    )
    time = " of CPU time" if found.conditions["device"] == "cpu" else ""
    yield f"milliseconds{time} a frame of the clip by part, and their share", _parts(found), []


def heading(found: Prompting) -> str:
    """Machine and config in a line."""
    own = found.conditions
    return (
        f"{own['device']}, {own['num_threads']} thread(s), torch {own['torch']}; "
        f"the fuser sees {own['window']} frames together"
    )


def _clip(found: Prompting) -> Cells:
    cells: Cells = {}
    for name, way in found.ways.items():
        cells |= _speed(name, way, CLIP, found.num_frames, ("frames/s", "passes a frame"))
        cells[name, "CPU ms a frame"] = ms(way.cpu[CLIP].median / found.num_frames)
        cells[name, "first mask, ms"] = ms(way.seconds[FIRST].median)
    return cells


def _then(found: Prompting) -> Cells:
    cells: Cells = {}
    for name, way in found.ways.items():
        cells[name, "click, ms"] = _with_quartiles(way.seconds[CLICK])
        cells[name, "its passes"] = f"{way.passes[CLICK]:.0f}"
        cells |= _speed(name, way, REST, found.again, ("frames/s behind it", "passes a frame"))
        if SOUND in way.seconds:
            fps = _frames_per_second(way.seconds[SOUND], found.num_frames)
            cells[name, "frames/s, sound"] = _rate(fps.median)
            cells[name, "its passes a frame"] = f"{way.passes[SOUND] / found.num_frames:.2f}"
    return cells


def _speed(name: str, way: Answered, event: str, frames: int, columns: tuple[str, str]) -> Cells:
    fps = _frames_per_second(way.seconds[event], frames)
    return {
        (name, columns[0]): _rate(fps.median),
        (name, "quartiles"): f"{_rate(fps.low)} to {_rate(fps.high)}",
        (name, "lost"): f"{way.lost[event].median:.1%}",
        (name, "lost, CPU (quartiles)"): "{:.1%} ({:.1%} to {:.1%})".format(*way.lost_cpu[event]),
        (name, columns[1]): f"{way.passes[event] / frames:.2f}",
    }


def _parts(found: Prompting) -> Cells:
    names = dict.fromkeys(name for way in found.ways.values() for name in way.parts)
    cells: Cells = {}
    for part in [*(name for name in names if name != OTHER), OTHER]:
        for name, way in found.ways.items():
            if part in way.parts:
                seconds, all_parts = way.parts[part].median, way.parts.values()
                share = seconds / sum(own.median for own in all_parts)
                cells[part, name] = f"{ms(seconds / found.num_frames)} ({share:.1%})"
    return cells


def _frames_per_second(seconds: Spread, frames: int) -> Spread:
    return Spread(frames / seconds.median, frames / seconds.high, frames / seconds.low)


def _rate(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _with_quartiles(seconds: Spread) -> str:
    median, low, high = (ms(value) for value in seconds)
    return f"{median} ({low} to {high})"
