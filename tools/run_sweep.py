"""Search a space of configs with Optuna: trials many at once, pruned early, resumed after a kill.

Examples:
    auralsam2 run-sweep fuser_mini --trials 12 --set data.root=work_dirs/demo/data
    auralsam2 run-sweep size_mini --trials 40 --sampler random --jobs 2
    auralsam2 run-sweep my_sweep.py --trials 200 --gpus 0,1 --jobs-per-gpu 2
    auralsam2 run-sweep my_sweep.py --trials 200 --storage postgresql+psycopg://host/sweeps
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auralsam2.command_line import Parser, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume a sweep; exit with 1 where no trial is complete."""
    from ablations.options import add_sweep_arguments, chosen

    parser = Parser(__doc__)
    add_sweep_arguments(parser)
    options = parser.parse_args(argv)

    from ablations.driver import trains_on_gpu
    from ablations.executors.base import from_options
    from ablations.runs.processes import say_how_to_go_on
    from ablations.sweeps.run_sweep import run_sweep
    from ablations.sweeps.samplers import choosy
    from ablations.sweeps.storage import StorageAddress
    from ablations.sweeps.sweep_file import load_sweep, summary_lines
    from auralsam2.config import parse_overrides

    sweep = load_sweep(
        options.space,
        overrides=parse_overrides(options.set),
        sampler=options.sampler,
        pruner=options.pruner,
        out=options.out,
    )
    for note in choosy(sweep.sampler).notes(sweep.space):
        print(f"note: {note}")
    address = StorageAddress.of(options.storage, sweep.out)
    if options.dry_run:
        print("\n".join(summary_lines(sweep, address.shown)))
        return 0
    output_folder(sweep.out)
    options.num_items, options.on_gpu = options.trials, lambda: trains_on_gpu([sweep.cfg])
    executor = from_options(options)
    with say_how_to_go_on():
        result = run_sweep(sweep, address, executor, options.trials, chosen(options))
    print("\n".join(result.lines(sweep.out)))
    _show_figures(sweep.out)
    return 0 if result.counts.get("complete") else 1


def _show_figures(out: Path) -> None:
    from analysis.figures import sweep as figures

    print("\n".join(map(str, figures.make(out, out / "figures"))))


if __name__ == "__main__":
    run_file(__file__)
