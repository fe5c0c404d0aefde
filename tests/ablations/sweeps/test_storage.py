from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from ablations.sweeps.search_space import SweepError
from ablations.sweeps.storage import StorageAddress


def test_the_journal_lies_in_the_folder_of_the_sweep(tmp_path: Path) -> None:
    address = StorageAddress.of(None, tmp_path)
    assert (address.stated, address.is_database) == (str(tmp_path / "journal.log"), False)
    assert address.beside == tmp_path / "journal.log.d"


def test_passwords_are_not_shown() -> None:
    address = StorageAddress.of("mysql+pymysql://me:secret@host/db", Path("out"))
    assert address.is_database
    assert "secret" not in address.shown and "me:***@host/db" in address.shown


def test_half_a_line_is_cut(tmp_path: Path) -> None:
    """As a machine that goes down leaves it; Optuna could not append to it."""
    address = StorageAddress.of(None, tmp_path)
    study = optuna.create_study(storage=address.open(), study_name="a")
    study.ask()
    with open(address.stated, "ab") as file:
        file.write(b'{"op_code": 4, "worker')
    study = optuna.load_study(storage=address.open(), study_name="a")
    study.ask()
    again = optuna.load_study(storage=address.open(), study_name="a")
    assert len(again.trials) == 2


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("shopping\nlist\n")
    with pytest.raises(SweepError, match="is no journal of Optuna"):
        StorageAddress.of(str(path), tmp_path).open()


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path}/no/such/folder/a.db"
    with pytest.raises(SweepError, match="cannot open sqlite"):
        StorageAddress.of(missing, tmp_path).open()
    with pytest.raises(SweepError, match=r"pip install 'psycopg\[binary\]'"):
        StorageAddress.of("mysql+cymysql://host/db", tmp_path).open()


def test_only_one_holds_the_lock(tmp_path: Path) -> None:
    address = StorageAddress.of(None, tmp_path)
    with address.lock():
        assert (address.beside / "ask.lock").exists()
    assert not (address.beside / "ask.lock").exists()
