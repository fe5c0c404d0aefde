"""What a benchmark has found as tables, with what has to be known of their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auralsam2.engine.benchmark.report import Reading, Report, Spread

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
    """A table of every kind of step, by the values of an axis, empty where none was varied."""
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
