"""Who works on a run: claims on plain files, safe on disks that many machines share.

A run folder has a folder ``claims`` with files ``0001.json``, ``0002.json`` ... The newest one
counts. Making the next one is atomic (a hard link to a finished file, which also NFS refuses where
the name is taken), so of many takers exactly one gets it; nothing is ever locked, renamed by a
stranger or deleted. Only its owner writes a claim again: a beat every few seconds with the
progress of the run, and in the end how it ended.

Whether a silent owner is gone is judged by the one who looks, by changes of the content over its
own monotonic clock: clocks of machines that share a disk disagree.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ablations.runs.processes import ProcessId, is_dead, this_process
from auralsam2.listing import files_in
from auralsam2.text_files import write_text

FOLDER = "claims"
STALE_S = 180.0
"""Silence after which an owner counts as gone. Caches of NFS hide changes for up to a minute."""
BEAT_S = 5.0
PLACE_VARIABLE = "AURALSAM2_PLACE"
"""Environment variable: a name that one living process has at a time, e.g. the id of a queued job.
Its next process takes over from the last one without waiting."""


@dataclass(frozen=True)
class ClaimState:
    """What a claim file says."""

    number: int  # which claim of the run
    token: str  # unique
    owner: ProcessId  # the process
    driver: str = ""  # id of the grid's driver, for people
    place: str = ""  # see `PLACE_VARIABLE`; may be empty
    claimed: str = ""  # ISO 8601, UTC
    beat: int = 0  # counts up while the owner lives
    # ``phase``, ``step``, ``total``, ``epoch``, ``epochs``, ``postfix``, ``elapsed_s``; what is not
    # known is missing.
    progress: Mapping[str, Any] = field(default_factory=dict)
    ended: str | None = None  # how it ended, e.g. ``"done"``; None while it holds

    @property
    def whose(self) -> str:
        """The owner in words."""
        return f"process {self.owner.pid} on {self.owner.host}" + (
            f" ({self.place})" if self.place else ""
        )


def newest(run_dir: Path) -> ClaimState | None:
    """Return the newest claim of a run, held or ended; None where it was never claimed."""
    number = _newest_number(run_dir)
    return None if number == 0 else _read(run_dir, number)


def holder(run_dir: Path) -> ClaimState | None:
    """Return the claim that holds; None where the run is free.

    A claim whose owner is known to be dead, being a process of this machine, does not hold.
    """
    claim = newest(run_dir)
    if claim is None or claim.ended is not None:
        return None
    place = os.environ.get(PLACE_VARIABLE, "")
    if place and place == claim.place and claim.owner != this_process():
        return None
    return None if is_dead(claim.owner) else claim


def acquire(run_dir: Path, driver: str = "") -> ClaimState | None:
    """Claim a run for this process; None where another one holds it."""
    number = _newest_number(run_dir)
    if number and holder(run_dir) is not None:
        return None
    place = os.environ.get(PLACE_VARIABLE, "")
    claim = _new(number + 1, driver=driver, place=place)
    return claim if _create(run_dir, claim) else None


def break_claim(run_dir: Path, claim: ClaimState, why: str) -> bool:
    """End a claim in place of its owner, who finds out at its next beat; ``why`` is for people.

    Returns:
        Whether it was this call; False where there is a newer claim by now.
    """
    return _create(run_dir, _new(claim.number + 1, progress=claim.progress, ended=why))


def is_newest(run_dir: Path, claim: ClaimState) -> bool:
    """Return whether no later claim exists."""
    return not _path(run_dir, claim.number + 1).exists()


def age_s(run_dir: Path, claim: ClaimState, now: float) -> float:
    """Return how long ago a claim was written, ``now`` being of the clock that dates files.

    Good enough to look at; who acts on it uses a `Watch`.
    """
    try:
        return now - _path(run_dir, claim.number).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def write(run_dir: Path, claim: ClaimState) -> None:
    """Write a claim again; for its owner."""
    write_text(_path(run_dir, claim.number), _text(claim))


def end(run_dir: Path, claim: ClaimState, how: str) -> None:
    """Say how a claim ended; for its owner."""
    write(run_dir, replace(claim, ended=how))


class Watch:
    """Judges by its own monotonic clock which owners have been silent for too long."""

    def __init__(
        self, stale_s: float = STALE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stale_s, self.clock = stale_s, clock
        self._seen: dict[Path, tuple[tuple[str, int], float]] = {}

    def silent_s(self, run_dir: Path, claim: ClaimState) -> float:
        """Return for how long a claim has been seen without a change."""
        signature, now = (claim.token, claim.beat), self.clock()
        seen = self._seen.get(run_dir)
        if seen is None or seen[0] != signature:
            self._seen[run_dir] = (signature, now)
            return 0.0
        return now - seen[1]

    def holder(self, run_dir: Path) -> ClaimState | None:
        """Like `holder`; a claim that has been silent for too long is ended first."""
        claim = holder(run_dir)
        if claim is None:
            return None
        silent = self.silent_s(run_dir, claim)
        if silent < self.stale_s:
            return claim
        return None if break_claim(run_dir, claim, f"lost: silent for {silent:.0f} s") else claim


def _path(run_dir: Path, number: int) -> Path:
    return run_dir / FOLDER / f"{number:04d}.json"


def _newest_number(run_dir: Path) -> int:
    stems = (path.stem for path in files_in(run_dir / FOLDER, "*.json"))
    return max((int(stem) for stem in stems if stem.isdigit()), default=0)


def _read(run_dir: Path, number: int) -> ClaimState:
    try:
        content = json.loads(_path(run_dir, number).read_text(encoding="utf-8"))
        return ClaimState(**{**content, "owner": ProcessId(**content["owner"])})
    except (OSError, ValueError, TypeError, KeyError):
        # On its way, or broken: it holds until it has been silent for too long.
        return ClaimState(number, "unreadable", ProcessId("unknown", "", 0, ""))


def _new(number: int, **known: Any) -> ClaimState:
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return ClaimState(number, uuid.uuid4().hex, this_process(), claimed=now, **known)


def _text(claim: ClaimState) -> str:
    return json.dumps(asdict(claim), indent=1) + "\n"


def _create(run_dir: Path, claim: ClaimState) -> bool:
    """Make the file of a claim, whole; False where there is one of that number."""
    target = _path(run_dir, claim.number)
    temporary = write_text(target.with_name(f".{claim.token}"), _text(claim))
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:
        # NFS may report an error for a link that it made; other disks have no links at all.
        if temporary.stat().st_nlink == 2:
            return True
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(_text(claim))
        except FileExistsError:
            return False
    finally:
        temporary.unlink(missing_ok=True)
    return True
