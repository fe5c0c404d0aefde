"""What benchmarks have found as tables, with what has to be known of their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auralsam2.engine.benchmark.parts import REST as OTHER
from auralsam2.engine.benchmark.prompting import CLICK, CLIP, FIRST, REST, SOUND
from auralsam2.engine.benchmark.report import Answered, Prompting, Reading, Report, Spread

MIB, GIGA = 2**20, 1e9
ALL, PLAIN = "all", "not taken apart"
COLUMNS = ("ms", "quartiles", "share", "GFLOP", "of peak", "MiB")

Cells = dict[tuple[str, str], str]
"""Text by row and column."""
Table = tuple[str, Cells, list[str]]
"""Title, cells and notes."""


def conditions(report: Report) -> str:
    """Machine and config in a line."""
    own = report.conditions
    trained = ", ".join(f"{part} {count:,}" for part, count in own["trained"].items())
    return (
        f"{own['device']}, {own['num_threads']} thread(s), torch {own['torch']}; "
        f"trained weights: {trained or 'none, so that there is no training step'}"
    )


def part_table(reading: Reading) -> tuple[str, Cells]:
    """Title and cells of one kind of step: a row a part, then all."""
    batch, frames, side = reading.shape[0], reading.shape[1], reading.shape[-1]
    title = f"{reading.name}, clips of {frames} frames at {side} px, {batch} in a batch"
    cells: Cells = {}
    for name, part in reading.parts.items():
        row = (part.seconds, reading.share(name), part.operations, part.of_peak, part.peak_bytes)
        cells |= _row(name, *row)
    operations = sum(part.operations for part in reading.parts.values())
    of_peak = operations / reading.total.median / reading.peak_operations
    return title, cells | _row(ALL, reading.total, 1.0, operations, of_peak, reading.peak_bytes)


def _row(
    name: str, seconds: Spread, share: float, operations: int, of_peak: float, peak_bytes: int
) -> Cells:
    texts = (
        ms(seconds.median),
        f"{ms(seconds.low)} to {ms(seconds.high)}",
        f"{share:.1%}",
        f"{operations / GIGA:,.2f}" if operations else "",
        f"{of_peak:.1%}" if operations else "",
        f"{peak_bytes / MIB:,.0f}",
    )
    return {(name, column): text for column, text in zip(COLUMNS, texts, strict=True)}


def scale_table(axis: str, readings: Mapping[str, Reading]) -> tuple[str, Cells]:
    """Title and cells of one kind of step: a column a value of an axis, milliseconds a part."""
    parts = dict.fromkeys(name for reading in readings.values() for name in reading.parts)
    cells: Cells = {}
    for name in parts:
        for value, reading in readings.items():
            if name in reading.parts:
                cells[f"{name}, ms", f"{axis}={value}"] = ms(reading.parts[name].seconds.median)
    for value, reading in readings.items():
        column = f"{axis}={value}"
        operations = sum(part.operations for part in reading.parts.values())
        cells[f"{ALL}, ms", column] = ms(reading.total.median)
        cells[f"{PLAIN}, ms", column] = ms(reading.plain.median)
        cells[f"{PLAIN}, CPU ms", column] = ms(reading.cpu.median)
        cells[f"{ALL}, GFLOP", column] = f"{operations / GIGA:,.2f}"
        cells[f"{ALL}, MiB", column] = f"{reading.peak_bytes / MIB:,.0f}"
    return f"{next(iter(readings.values())).name} by {axis}", cells


def tables(axis: str, reports: Mapping[str, Report]) -> Iterator[Table]:
    """A table of every kind of step.

    Args:
        axis: what was varied; empty where nothing was.
        reports: by its values.
    """
    for kind in ("train", "evaluation"):
        found = {value: getattr(report, kind) for value, report in reports.items()}
        readings = {value: reading for value, reading in found.items() if reading is not None}
        if not readings:
            continue
        last = readings[next(reversed(readings))]
        if axis:
            yield *scale_table(axis, readings), notes(last)[-1:]
        else:
            yield *part_table(last), notes(last)


def notes(reading: Reading) -> list[str]:
    """What has to be known of a table, a line each."""
    plain = reading.plain
    return [
        f"{PLAIN}: {ms(plain.median)} ms ({ms(plain.low)} to {ms(plain.high)}), "
        f"{ms(reading.cpu.median)} ms of CPU time; taking it apart changes that by "
        f"{reading.overhead:+.1%}",
        f"medians of {reading.steps} steps; peak: {reading.peak_operations / GIGA:,.0f} GFLOP/s, "
        f"which a product of large {reading.dtype} matrices reaches here; counted are matrix "
        "products, convolutions and attention",
        f"MiB: {reading.memory}, the largest while a part runs; clips are read and frames encoded "
        "anew, in this process",
    ]


def ms(seconds: float) -> str:
    """Milliseconds as they stand in a table."""
    value = 1000 * seconds
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def prompting_tables(found: Prompting) -> Iterator[Table]:
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


def prompting_conditions(found: Prompting) -> str:
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
