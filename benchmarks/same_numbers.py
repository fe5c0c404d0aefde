"""Losses, scores and tables of three fixed tiny trainings and a tiny grid, to compare two versions.

python benchmarks/same_numbers.py now.json
python benchmarks/same_numbers.py now.json --before before.json

The first call writes what this version computes; the second also compares it with what another
version wrote, number by number, and exits with 1 where anything differs. To measure another
version, give this file to its interpreter (``../before/.venv/bin/python``). Only what the command
line offers is used, so that the file outlives moves of the code. Compare within one machine:
processors round differently.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from versions import call

CLIPS = ("--layout", "v1m", "--split", "16/6/16", "--seed", "5", "--classes", "8", "--size", "96")
RELEASED = (
    "model.fusion={'type': 'ReleasedTPAVIFusion', 'scope': 'frame'}",
    "model.constant_audio_position=True",
    "model.injection.leak_into_position=True",
    "model.projector=ReleasedConvProjector",
    "model.join_clips=True",
    "model.contrastive_loss={'type': 'ReleasedAudioConLoss', 'weight': 0.1}",
)
TRAININGS = {
    "published": ("auralsam2/mini_v1m",),
    "released": ("auralsam2/mini_v1m", *RELEASED),
    "rival": ("methods/sama_avs_mini_v1m",),
}
GRID = """
base = "auralsam2/mini_v1m"
axes = {"model.contrastive_loss": [None, dict(type="InfoNCELoss")]}
seeds = [0, 1]
"""
TIMES = ("time", "data_time", "memory", "speed", "fps", "duration")
"""Parts of keys whose values are measured, not computed."""


auralsam2 = partial(call, sys.executable)
"""Runs a command of the version whose interpreter this is."""


def measure(folder: Path) -> dict[str, Any]:
    """Everything that a version computes, by run."""
    auralsam2("make-synthetic", str(folder / "data"), *CLIPS)
    common = (f"data.root={folder / 'data'}", "optim.epochs=1", "data.batch_size=2")
    quiet = ("runtime.log_every=1", "runtime.tensorboard=False", "evaluation.measure_speed=False")
    found: dict[str, Any] = {}
    for name, (config, *changes) in TRAININGS.items():
        run = folder / name
        auralsam2("train", config, "--out", str(run), "--set", *common, *quiet, *changes)
        found[name] = of_run(run)
    grid = folder / "pair.py"
    grid.write_text(GRID, encoding="utf-8")
    out = folder / "grid"
    auralsam2("run-grid", str(grid), "--out", str(out), "--set", *common, *quiet)
    found["grid"] = {run.name.rsplit("-", 2)[0]: of_run(run) for run in run_folders(out)}
    auralsam2("make-tables", str(out), "--reference", "no contrastive_loss", "--difference")
    table = (out / "table.md").read_text(encoding="utf-8").splitlines()
    found["table"] = [line for line in table if line.startswith("|")]  # notes name code and folders
    return found


def run_folders(out: Path) -> list[Path]:
    """Run folders of a grid, in the order of their names."""
    return sorted(record.parent for record in out.rglob("record.json"))


def of_run(run: Path) -> dict[str, Any]:
    """Losses of every step and all scores of a run."""
    record = json.loads((run / "record.json").read_text(encoding="utf-8"))
    lines = next(run.rglob("scalars.json")).read_text(encoding="utf-8").splitlines()
    steps = [json.loads(line) for line in lines]
    return {
        "steps": [{k: v for k, v in s.items() if not any(t in k for t in TIMES)} for s in steps],
        "metrics": record["metrics"],
        "clips": {
            f"{e['split']}/{e['clip']}/{e['metric']}": e["value"] for e in record["per_clip"]
        },
        "num_parameters": record["num_parameters"],
    }


def differences(before: Any, now: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield place, old and new value of whatever is not the same."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from differences(before.get(key), now.get(key), f"{where}/{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, pair in enumerate(zip(before, now)):
            yield from differences(*pair, f"{where}/{index}")
    elif before != now and not _both_nan(before, now):
        yield where, before, now


def _both_nan(before: Any, now: Any) -> bool:
    return all(isinstance(value, float) and math.isnan(value) for value in (before, now))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the numbers, compare them where others are given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("--before", type=Path, help="file that another version wrote")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        now = measure(Path(folder))
    options.out.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    if options.before is None:
        return 0
    before = json.loads(options.before.read_text(encoding="utf-8"))
    found = list(differences(before, json.loads(json.dumps(now))))
    for where, old, new in found[:40]:
        print(f"{where}: {old} -> {new}")
    print(f"{len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
