"""What lies in a run folder, and whose it is: another run is refused before anything is written."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config

from auralsam2.config_identity import Difference, differences
from auralsam2.engine import run_record
from auralsam2.engine.identity import file_digests, parse
from auralsam2.engine.run_record import WEIGHTS, RunRecord
from auralsam2.text_files import write_text

CONFIG = "config.py"
SETTINGS = "settings.json"
LOCK = ".training"
EPOCHS, BEST = "epoch_*.pth", "best_*.pth"


class FolderInUseError(ValueError):
    """A folder in which another process trains."""


class OtherRunError(ValueError):
    """A folder that holds another run.

    Attributes:
        differences: between that run and the one that was to go there.
    """

    def __init__(self, run_dir: Path, what: str, found: list[Difference], ways: list[str]) -> None:
        self.differences = found
        lines = [f"'{run_dir}' holds {what}; nothing was written. They differ in"]
        lines += [f"  - {difference}" for difference in found]
        super().__init__("\n".join([*lines, "ways on:", *(f"  - {way}" for way in ways)]))


def stored_config(run_dir: Path) -> dict[str, Any] | None:
    """Return the resolved config in a run folder, nothing imported; None where none can be read."""
    path = run_dir / CONFIG
    if not path.is_file():
        return None
    try:
        stored: dict[str, Any] = Config.fromfile(path, import_custom_modules=False).to_dict()
    except Exception:  # a config file is a program: it may raise anything
        return None
    return stored


def find_target(run_or_config: str, checkpoint: Path | None) -> tuple[str, Path | None]:
    """Return config and trained weights of a run folder, or of a config by name or path.

    A checkpoint stands in for the run's own weights; None takes the model as it is built.

    Raises:
        FileNotFoundError: where a folder has no ``config.py``, or there is no such checkpoint.
    """
    if checkpoint is not None and not checkpoint.is_file():
        raise FileNotFoundError(f"no checkpoint at '{checkpoint}'")
    folder = Path(run_or_config)
    if not folder.is_dir():
        return run_or_config, checkpoint
    if not (folder / CONFIG).is_file():
        raise FileNotFoundError(f"'{folder}' is no run folder: it has no {CONFIG}")
    own = folder / WEIGHTS
    return str(folder / CONFIG), checkpoint or (own if own.is_file() else None)


def newest_checkpoint(run_dir: Path) -> str | None:
    """Return the checkpoint to go on from; files are there whole or not at all."""
    found = {int(path.stem.removeprefix("epoch_")): path for path in run_dir.glob(EPOCHS)}
    return str(found[max(found)]) if found else None


def best_checkpoint(run_dir: Path) -> Path | None:
    """Return the checkpoint that was selected; None where none was."""
    return max(run_dir.glob(BEST), key=os.path.getmtime, default=None)


def start_from(run_or_file: Path) -> dict[str, str]:
    """Return the node ``start`` of a config that begins with the weights of a run, or of a file.

    Whether they are there is asked where a training begins (`auralsam2.engine.start.check_start`).
    """
    is_file = run_or_file.is_file() or run_or_file.suffix == Path(WEIGHTS).suffix
    return {"weights": str((run_or_file if is_file else run_or_file / WEIGHTS).resolve())}


def extension_of(run_dir: Path) -> dict[str, str]:
    """Return the node ``start`` of a config that extends a finished run.

    Raises:
        FileNotFoundError: where its checkpoints are not there.
    """
    newest = newest_checkpoint(run_dir)
    if newest is None:
        raise FileNotFoundError(
            f"'{run_dir}' has no checkpoint {EPOCHS} to go on from (--prune-checkpoints deletes "
            f"them); its weights are a start: --start-from {run_dir}"
        )
    return {"checkpoint": str(Path(newest).resolve())}


def finished(run_dir: Path) -> str | None:
    """Return when the run in a folder was done; None where none is, as far as can be read."""
    record = run_record.find(run_dir)
    return record.finished if record is not None and record.status == "done" else None


@contextmanager
def held(run_dir: Path) -> Iterator[None]:
    """Keep a folder to one training; the system lets go of it when this process is gone.

    Processes that share a disk without locks are not told apart.

    Raises:
        FolderInUseError: where another process trains there.
    """
    with (run_dir / LOCK).open("ab") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise FolderInUseError(
                    f"another process trains in '{run_dir}'; nothing was written: wait for its "
                    "end, or take another --out"
                ) from error
        yield


def earlier_record(
    run_dir: Path, cfg: Mapping[str, Any], planned: RunRecord, *, keep_code: bool = False
) -> RunRecord | None:
    """Return what the same run has left in a folder; None where the folder is free.

    The run that is to go there has ``cfg`` and begins with the record ``planned``; with
    ``keep_code`` a run by other code is taken for the same.

    Raises:
        OtherRunError: where the folder holds another run, naming what differs.
        ValueError: where the record there cannot be read.
    """
    try:
        record: RunRecord | None = run_record.read(run_dir)
    except FileNotFoundError:
        record = None
    if record is not None and record.run_id == planned.run_id:
        return record
    if record is None and not any(any(run_dir.glob(pattern)) for pattern in (EPOCHS, BEST)):
        return None
    stored = stored_config(run_dir)
    found = [Difference(CONFIG, "missing or unreadable", "a resolved config")]
    if stored is not None:
        found = differences(stored, cfg)
    if record is not None:
        found += _content_differences(record, planned)
        found += [] if keep_code else _code_difference(record, planned)
    if found:
        what = "checkpoints" if record is None else f"another run ({record.status})"
        raise OtherRunError(run_dir, what, found, _ways(run_dir, record, found))
    return record


def _content_differences(record: RunRecord, planned: RunRecord) -> list[Difference]:
    """Data and files whose content has changed."""
    found = []
    was, now = record.data_fingerprint[:10], planned.data_fingerprint[:10]
    if was != now:
        found.append(Difference("data (content)", was or "unknown", now))
    for key, content in planned.files.items():
        known = record.files.get(key, content)
        if known != content:
            found.append(Difference(f"{key} (content)", known[:10], content[:10]))
    return found


def _code_difference(record: RunRecord, planned: RunRecord) -> list[Difference]:
    if record.code_version != planned.code_version:
        return [Difference("code", record.code_version or "unknown", planned.code_version)]
    was, now = parse(record.run_id).code, parse(planned.run_id).code
    return [] if was == now else [Difference("code (custom_imports)", was or "unknown", now)]


def _ways(run_dir: Path, record: RunRecord | None, found: list[Difference]) -> list[str]:
    ways = ["another --out (without one, the folder is named after the config)"]
    if all(difference.key.startswith("code") for difference in found):
        ways.append("--keep-code goes on with it, or takes it as it is where it is done")
    if record is not None and record.status == "done":
        ways.append(f"start from its weights: --start-from {run_dir} --out NEW")
        ways.append(f"train it for longer: --extend {run_dir} --set optim.epochs=N --out NEW")
    return ways


def check_files(run_dir: Path, cfg: Mapping[str, Any]) -> None:
    """Look whether the files that a run's model reads are still those that it was trained with.

    Without a record in the folder nothing is known; ``cfg`` says where files are by now.

    Raises:
        ValueError: naming every file whose content is another one.
    """
    record = run_record.find(run_dir)
    if record is None:
        return
    other = [
        f"  - {key}: SHA-256 {record.files[key][:10]} then, {content[:10]} now"
        for key, content in file_digests({"model": cfg["model"]}).items()
        if record.files.get(key, content) != content
    ]
    if other:
        listed = "\n".join(other)
        raise ValueError(
            f"'{run_dir}' was trained with other files than its config names now; set these keys "
            f"to where the files of then are:\n{listed}"
        )


def claim_folder(folder: Path, settings: Mapping[str, Any], made: str, *, way: str) -> None:
    """Make a folder that of one training that has no config; another one is refused.

    Args:
        folder: made where it does not exist.
        settings: all that the outcome hangs on; they stay in the folder.
        made: pattern of the files that such a training leaves.
        way: what else to do than to take another folder.

    Raises:
        OtherRunError: where the folder holds what was made with other settings, or nobody knows
            with which.
    """
    path = folder / SETTINGS
    stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if stored is not None or any(folder.glob(made)):
        unknown = [Difference(SETTINGS, "missing", "the settings")]
        found = unknown if stored is None else differences(stored, settings)
        if found:
            raise OtherRunError(folder, "another training", found, ["another folder", way])
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(settings, indent=1) + "\n")
