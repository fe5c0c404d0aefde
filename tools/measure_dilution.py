"""Measure how audio prompts fare in the mask decoder of a grid's runs: dilution, block by block.

Examples:
    auralsam2 measure-dilution work_dirs/dilution_mini
    auralsam2 measure-dilution work_dirs/my_grid --sounds swapped silence noise --max-clips 100
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write dilution.csv into every run folder, and figures and indices of all into figures/."""
    options = _parser().parse_args(argv)

    from rich.console import Console
    from rich.progress import track

    from analysis.capture import capture_dilution
    from analysis.dilution import clip_means, dilution_indices
    from analysis.figures import dilution_curves, site_matrix
    from analysis.results import load_runs

    runs = load_runs(options.folder).runs.to_dict("records")
    captures, problems = {}, []
    for run in track(runs, description="reading attention", console=Console(stderr=True)):
        arm = (str(run["cell"]), int(run["seed"]))
        try:
            captures[arm] = capture_dilution(
                Path(str(run["run_dir"])),
                sounds=options.sounds,
                max_clips=options.max_clips,
                split=options.split,
                again=options.again,
            )
        except ValueError as error:
            problems.append(f"{arm[0]}, seed {arm[1]}: {error}")
    for problem in problems:
        print(f"left out: {problem}")
    if not captures:
        raise ValueError("no run could be read")
    clips = clip_means(captures)
    folder = options.folder / "figures"
    paths = dilution_curves.make(clips, folder, condition=options.sounds[0])
    paths += site_matrix.make(clips, folder, condition=options.sounds[0])
    indices = dilution_indices(clips)
    indices.to_csv(folder / "dilution_indices.csv", index=False)
    print(indices.round(3).to_string(index=False))
    print("\n".join(map(str, [*paths, folder / "dilution_indices.csv"])))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="of a grid, with finished runs")
    parser.add_argument(
        "--sounds",
        nargs="+",
        default=["swapped", "silence"],
        help="counterfactual audio; the first one is drawn (default: swapped silence)",
    )
    parser.add_argument("--max-clips", type=int, help="the first clips of the split only")
    parser.add_argument("--split", default="test", help="whose clips (default: test)")
    parser.add_argument("--again", action="store_true", help="also where the numbers are there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
