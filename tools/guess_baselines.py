"""Show what guesses that do not listen reach on a data set.

Examples:
    auralsam2 guess-baselines data/synthetic
    auralsam2 guess-baselines data/AVSBench --split val
"""

from __future__ import annotations

from collections.abc import Sequence

from auralsam2.command_line import Parser, input_path, run_file, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table of guesses and their J."""
    parser = Parser(__doc__)
    parser.add_argument("root", type=input_path, help="folder that holds avss_index/metadata.csv")
    parser.add_argument("--subset", default="v1m", help="of AVSBench (default: v1m)")
    parser.add_argument("--split", default="test", help="train, val or test (default: test)")
    options = parser.parse_args(argv)

    from rich.table import Table

    from auralsam2.engine.guesses import score_guesses

    scores = score_guesses(options.root, options.subset, options.split)
    table = Table()
    table.add_column("guess")
    table.add_column("J", justify="right")
    for name, value in sorted(scores.items(), key=lambda entry: -entry[1]):
        table.add_row(name, f"{value:.3f}")
    print(f"{options.subset}/{options.split}")
    table_console().print(table)
    return 0


if __name__ == "__main__":
    run_file(__file__)
