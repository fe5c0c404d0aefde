"""How often ``run-grid --until-decided`` errs, and what it takes, by simulation with known effects.

Scores are planted, d[s, c] = effect + seed[s] + clip[c] + rest[s, c] between two cells; the loop
over seeds, the looks and the judgement of the claim are those of the command. Beside it: looking
after every seed at the full level, and one look at all seeds.

    python benchmarks/optional_stopping.py              # errors where nothing differs
    python benchmarks/optional_stopping.py --effects    # what is found, and with how many seeds
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablations.until_decided import until_decided
from analysis.claims.file import load_claims
from analysis.claims.judge import judge
from analysis.claims.looks import Looks
from analysis.claims.verdict import UNDECIDED
from analysis.runs.results import Results, of_seeds

Array = NDArray[Any]
ALPHA = 0.05
SPREADS = {
    "seeds alone": (1.0, 0.0, 0.0),
    "seeds and rest": (1.0, 0.0, 3.0),
    "seeds and clips": (1.0, 3.0, 3.0),
    "clips": (0.2, 5.0, 3.0),
}
"""Standard deviations of a difference by seeds, by clips, by the rest."""
FILE = """
claims = [dict(type="Beats", sentence="new is better than old", cell="new", other="old")]
"""


class Outcome(NamedTuple):
    """How an experiment ends."""

    answer: str  # to the claim
    seeds: int  # that were trained


def planted(
    spreads: tuple[float, float, float],
    effect: float,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Results:
    """Draw the runs of two cells, "new" and "old", on (seeds, clips)."""
    by_seed, by_clip, rest = spreads
    seeds, clips = size
    apart = effect + by_seed * rng.normal(size=(seeds, 1)) + by_clip * rng.normal(size=(1, clips))
    apart = apart + rest * rng.normal(size=size)
    common = rng.normal(size=size)
    index = pd.MultiIndex.from_product(
        [["new", "old"], range(seeds), ["test"], [f"clip{n:03d}" for n in range(clips)], ["J"]],
        names=["cell", "seed", "split", "clip", "metric"],
    )
    values = np.stack([common + apart, common]).ravel()
    scores = pd.DataFrame({"value": values}, index=index).reset_index()
    runs = scores[["cell", "seed"]].drop_duplicates().reset_index(drop=True)
    return Results(scores, runs, ("new", "old"), ("test",), ("J",), "planted", "old")


def spending(results: Results, most: int, file: Path) -> Outcome:
    """Run the command's loop over planted scores."""
    trained: list[int] = []
    recipes = dict.fromkeys(results.cells, "")
    with tempfile.TemporaryDirectory() as folder:
        looks = Looks(
            load_claims(file), Path(folder), most, recipes,
            read=lambda: of_seeds(results, trained), say=lambda line: None,
        )  # fmt: skip

        def train(seeds: Sequence[int], cells: Collection[str]) -> None:
            trained[:] = seeds

        until_decided(range(most), looks.open_cells(), train, looks.decide)
        return Outcome(looks.answers()[0], len(trained))


def naive(results: Results, most: int, file: Path) -> Outcome:
    """Judge after every seed at the full level, and stop at the first answer."""
    for number in range(2, most + 1):
        (verdict,) = judge(load_claims(file), of_seeds(results, range(number)), ALPHA)
        if verdict.answer != UNDECIDED:
            break
    return Outcome(verdict.answer, number)


def once(results: Results, most: int, file: Path) -> Outcome:
    """Judge after the last seed."""
    (verdict,) = judge(load_claims(file), results, ALPHA)
    return Outcome(verdict.answer, most)


WAYS = {"until decided": spending, "every seed at 0.05": naive, "once, all seeds": once}


def experiments(
    ways: Collection[str], rows: int, spread: str, effect: float, most: int, clips: int
) -> dict[str, list[Outcome]]:
    """Run each way on the same experiments."""
    rng = np.random.default_rng(0)
    found: dict[str, list[Outcome]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "claims.py")
        file.write_text(FILE)
        for _ in range(rows):
            results = planted(SPREADS[spread], effect, (most, clips), rng)
            for way in ways:
                found[way].append(WAYS[way](results, most, file))
    return found


def errors(rows: int, most: int, clips: int) -> Iterator[list[str]]:
    """Yield how often each way decides where there is nothing to decide: every answer is wrong."""
    for spread in SPREADS:
        found = experiments(WAYS, rows, spread, 0.0, most, clips)
        wrong = [np.mean([o.answer != UNDECIDED for o in found[way]]) for way in WAYS]
        yield [spread, *(f"{rate:.3f}" for rate in wrong)]


def effects(rows: int, most: int, clips: int) -> Iterator[list[str]]:
    """Yield how often a difference is found, and with how many seeds on average."""
    for effect in (1.0, 2.0, 3.0):
        found = experiments(WAYS, rows, "seeds and clips", effect, most, clips)
        shown = []
        for way in WAYS:
            share = np.mean([outcome.answer == "supported" for outcome in found[way]])
            seeds = np.mean([outcome.seeds for outcome in found[way]])
            shown.append(f"{share:.2f}, {seeds:.1f} seeds")
        yield [f"{effect:g}", *shown]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=600, help="experiments of each kind")
    parser.add_argument("--seeds", type=int, default=6, help="that end it")
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--effects", action="store_true", help="where something differs")
    options = parser.parse_args()
    size = options.rows, options.seeds, options.clips
    columns = ["difference" if options.effects else "spread lies in", *WAYS]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for line in effects(*size) if options.effects else errors(*size):
        print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
