"""Which runs of a grid go side by side, on whatever executor."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from ablations.display import Display
from ablations.executors.base import Executor, Outcome, Outcomes, Source, Work
from ablations.grids.plan import PlannedRun, state_of
from ablations.runs.run_cell import current_record
from ablations.runs.run_group import RunGroup, run_group
from auralsam2.engine import run_record
from auralsam2.engine.progress import Forwarding, Progress

_OF_THE_RUN = ("hooks", "work_dir", "checkpoint_every", "log_every", "tensorboard", "trackers")
"""Keys of ``runtime`` in which runs side by side may differ."""


class LockstepExecutor:
    """Hands runs that can share their encodings to another executor as one piece of work.

    Where the process of several runs dies, nobody knows by which: they go on one by one.

    Args:
        inner: does the work.
        at_most: runs side by side; 0 for as many as leave every process of ``inner`` its share.
    """

    def __init__(self, inner: Executor, at_most: int) -> None:
        self.inner, self.at_most = inner, at_most

    def map(self, fn: Work[Any, Any], items: Iterable[Any], display: Display) -> Outcomes[Any, Any]:
        """Yield an outcome of every run as its group ends."""
        groups = _Groups(items, self.at_most, getattr(self.inner, "num_processes", 1), display)
        with closing(self.inner.map(partial(run_group, work=fn), groups, groups)) as outcomes:
            for outcome in outcomes:
                yield from groups.of_runs(outcome)


class _Groups(Iterator[Any]):
    """Runs that wait, taken together where they can share."""

    def __init__(
        self, items: Iterable[PlannedRun | None], at_most: int, processes: int, display: Display
    ) -> None:
        self.source, self.display = Source(items), display
        self.at_most, self.processes, self.size = at_most, processes, 1
        self.waiting: list[PlannedRun] = []
        self.alone: set[Path] = set()  # folders of runs whose group's process died
        self.members: dict[str, Sequence[PlannedRun]] = {}  # by label of their group

    def __next__(self) -> PlannedRun | RunGroup | None:
        new = list(iter(self.source.next, None))
        self.waiting += new
        if new:
            self.size = self.at_most or math.ceil(len(self.waiting) / self.processes)
        if not self.waiting:
            if self.source.empty:
                raise StopIteration
            return None
        first = self.waiting[0]
        key, why = self._key(first)
        fit = [run for run in self.waiting if key is not None and self._key(run)[0] == key]
        runs = fit[: self.size] or [first]
        self.waiting = [run for run in self.waiting if not any(run is taken for taken in runs)]
        if len(runs) == 1:
            why = why or "no run that waits shares its data, seed and encoder"
            if len(fit) > 1:
                why = "so that every process has a run"
            self.display.say(f"{first.label}: goes alone, {why}")
            return first
        group = RunGroup(tuple(runs))
        self.members[group.label] = runs
        self.display.say(group.label)
        return group

    def run_started(self, label: str) -> Progress:
        """Show every run of a group by itself."""
        members = self.members.get(label)
        if members is None:
            return self.display.run_started(label)
        return _Members([self.display.run_started(run.label) for run in members])

    def of_runs(self, outcome: Outcome[Any, Any]) -> Iterator[Outcome[Any, Any]]:
        """Yield how single runs ended; those that a dead process took along wait again."""
        if isinstance(outcome.item, PlannedRun):
            yield outcome
            return
        ended = outcome.result or [(None, outcome.error)] * len(outcome.item.runs)
        for run, how in zip(outcome.item.runs, ended, strict=True):
            if outcome.lost and state_of(run.run_dir) != "done":
                self.alone.add(run.run_dir)
                self.waiting.append(run)
                self.display.run_left(run.label, "the process of its group died; goes on alone")
            elif outcome.lost:
                yield Outcome(run, result=run_record.read(run.run_dir))
            else:
                yield Outcome(run, *how)

    def _key(self, run: PlannedRun) -> tuple[str | None, str]:
        """What runs side by side have in common, or why a run goes alone."""
        if run.run_dir in self.alone:
            return None, "its process died"
        if current_record(run).attempts:
            return None, "it ran out of memory before"
        return shared_by(run.cfg)


def shared_by(cfg: Any) -> tuple[str | None, str]:
    """What the runs that a config's run can share batches and encodings with have in common.

    Returns:
        A text that is equal for those, or None with the reason why there can be none.
    """
    from auralsam2.engine.splits import asked_hearing
    from auralsam2.registry import MODELS

    plain = cfg.to_dict()
    model, runtime = plain["model"], plain["runtime"]
    arguments = {key: value for key, value in model.items() if key != "type"}
    why = MODELS.lookup(model["type"]).cannot_share_encoder(**arguments)  # type: ignore[attr-defined]
    if why:
        return None, why
    common = {
        "seed": plain["seed"],
        "data": plain["data"],
        "backbone": model["backbone"],
        "heard": asked_hearing(model),
        "amp": plain["optim"]["amp"],
        "runtime": {key: value for key, value in runtime.items() if key not in _OF_THE_RUN},
    }
    return json.dumps(common, sort_keys=True, default=str), ""


class _Members(Forwarding):
    """Tells all runs of a group what is told of it, and each what it tells itself."""

    def __init__(self, members: Sequence[Progress]) -> None:
        self.members = members

    def forward(self, call: str, *arguments: Any) -> None:
        for member in self.members:
            getattr(member, call)(*arguments)

    def of_member(self, index: int, call: str, *arguments: Any) -> None:
        getattr(self.members[index], call)(*arguments)
