"""What processes do that race for claims; imports nothing heavy."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from ablations.runs import claims


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.001)


def main(folder: Path, name: str, take_over: bool) -> None:
    """Try to get every run below a folder; stay alive until told to go."""
    runs = sorted(path for path in folder.iterdir() if path.is_dir())
    (folder / f"{name}.ready").touch()
    wait_for(folder / "start")
    won = []
    for run in runs:
        if take_over:
            first = claims.ClaimState(1, "", claims.this_process())
            claims.break_claim(run, first, "lost: silent")
        if claims.acquire(run, name) is not None:
            won.append(run.name)
    (folder / f"{name}.won.tmp").write_text(json.dumps(won))
    (folder / f"{name}.won.tmp").rename(folder / f"{name}.won")
    wait_for(folder / "end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "take-over")
