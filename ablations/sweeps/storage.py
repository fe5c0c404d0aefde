"""Where a study is kept: a journal file, or a database that several machines reach."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import (
    BaseStorage,
    JournalStorage,
    RDBStorage,
    RetryHeartbeatStaleTrialCallback,
)
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from ablations.sweeps.search_space import SweepError

JOURNAL = "journal.log"
BEAT_S = 30
"""How often the driver of a trial tells a database that it lives."""
GRACE_S = 120
"""Silence after which a trial of a database counts as lost."""
MAX_RETRIES = 3
"""How often a trial whose driver was lost is tried again."""


@dataclass(frozen=True)
class StorageAddress:
    """A storage by name, to be opened in any process."""

    stated: str  # a path, or a URL as SQLAlchemy takes it
    out: Path  # folder of the sweep

    @classmethod
    def of(cls, stated: str | None, out: Path) -> StorageAddress:
        """Return an address; the journal in the folder of the sweep where nothing is stated."""
        if stated is None:
            stated = str(out / JOURNAL)
        if "://" not in stated:
            stated = os.path.abspath(os.path.expanduser(stated))
        return cls(stated, out)

    @property
    def is_database(self) -> bool:
        """Whether it is a URL."""
        return "://" in self.stated

    @property
    def shown(self) -> str:
        """The address without its password."""
        if not self.is_database:
            return self.stated
        from sqlalchemy.engine import make_url

        return make_url(self.stated).render_as_string(hide_password=True)

    @property
    def beside(self) -> Path:
        """Folder for what drivers tell each other, the same for all that share a disk."""
        if self.is_database:
            return self.out / "sweep"
        path = Path(self.stated)
        return path.with_name(f"{path.name}.d")

    def open(self) -> BaseStorage:
        """Return the storage.

        Raises:
            SweepError: where the database or its driver is not there, or the file is no journal.
        """
        with quiet():
            return _database(self) if self.is_database else _journal(Path(self.stated))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one driver at a time choose a trial."""
        self.beside.mkdir(parents=True, exist_ok=True)
        with _locked(JournalFileOpenLock(str(self.beside / "ask"))):
            yield


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out Optuna's warnings about its own experiments, and about our asking and telling."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed")
        yield


def retry_callback(max_retry: int | None = MAX_RETRIES) -> RetryHeartbeatStaleTrialCallback:
    """Return what puts a failed trial, with its values and its curve, into the queue again."""
    with quiet():
        return RetryHeartbeatStaleTrialCallback(
            max_retry=max_retry, inherit_intermediate_values=True
        )


@contextmanager
def _locked(lock: JournalFileOpenLock) -> Iterator[None]:
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _journal(path: Path) -> BaseStorage:
    """Open a journal.

    The lock is made with ``O_CREAT | O_EXCL``, which is atomic on NFS from version 3 on; the
    other lock of Optuna is a symbolic link, which shares from other systems often do not have.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = JournalFileOpenLock(str(path))
    if path.is_file() and not _ends_whole(path):
        with _locked(lock):
            _drop_half_line(path)
    try:
        return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    except (ValueError, KeyError, AssertionError, TypeError) as error:
        said = f"storage: '{path}' is no journal of Optuna ({type(error).__name__}: {error})"
        raise SweepError([said]) from error


def _ends_whole(path: Path) -> bool:
    if not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _drop_half_line(path: Path) -> None:
    """Cut what a machine that went down, or a full disk, left behind the last whole line.

    The next line would be written behind it, and Optuna could not read the file any more.
    """
    if not _ends_whole(path):  # else it was a line on its way
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def _database(address: StorageAddress) -> BaseStorage:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return RDBStorage(
            address.stated,
            heartbeat_interval=BEAT_S,
            grace_period=GRACE_S,
            heartbeat_stale_trial_callback=retry_callback(),
        )
    except ImportError as error:
        said = (
            f"storage: {address.shown} needs a driver that is not installed ({error}); for "
            "PostgreSQL: pip install 'psycopg[binary]' and postgresql+psycopg://..., for "
            "MySQL: pip install pymysql and mysql+pymysql://..."
        )
        raise SweepError([said]) from error
    except SQLAlchemyError as error:
        first = str(error).splitlines()[0]
        raise SweepError([f"storage: cannot open {address.shown}: {first}"]) from error
