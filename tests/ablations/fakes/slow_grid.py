"""``run-grid`` with steps that take a while, so that a test can kill it between two of them."""

import sys
import time

from auralsam2_tools.run_grid import main

from ablations.runs import heartbeat

STEP_S = 0.1


class SlowHeartbeat(heartbeat.Heartbeat):
    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        time.sleep(STEP_S)
        super().step(epoch, epochs, postfix)


import ablations.runs.run_cell  # noqa: E402

ablations.runs.run_cell.Heartbeat = SlowHeartbeat

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
