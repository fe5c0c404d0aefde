"""A folder with a run of another identity is refused, and nothing in it is touched."""

from __future__ import annotations

import copy
import multiprocessing
from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from auralsam2 import config
from auralsam2.command_line import input_path
from auralsam2.engine import run_folder, run_record
from auralsam2.engine.identity import file_digests, identify
from auralsam2.engine.record_schema import STATUSES
from auralsam2.engine.run_folder import (
    FolderInUseError,
    OtherRunError,
    earlier_record,
    find_target,
    stored_config,
)
from auralsam2.engine.run_record import RunRecord
from auralsam2.models.weights import locate


def planned(cfg: Config, data: str = "data", version: str = "1+a") -> RunRecord:
    plain = cfg.to_dict()
    record = RunRecord(
        run_id=str(identify(plain, data)), data_fingerprint=data, files=file_digests(plain)
    )
    record.code_version = version
    return record


@pytest.fixture
def leave(tmp_path: Path) -> Callable[..., Path]:
    """Leave a run in a folder."""

    def write(cfg: Config, status: str = "done", **arguments: Any) -> Path:
        record = planned(cfg, **arguments)
        record.status = status
        run_record.write(record, tmp_path)
        config.dump(cfg, tmp_path / "config.py")
        return tmp_path

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_free_folder_and_the_same_run(toy_config: Config, leave, tmp_path: Path) -> None:
    assert earlier_record(tmp_path / "new", toy_config, planned(toy_config)) is None
    folder = leave(toy_config, "running")
    other_places = copy.deepcopy(toy_config)
    other_places.runtime.log_every, other_places.data.root = 3, "/elsewhere"
    found = earlier_record(folder, other_places, planned(other_places))
    assert found is not None and found.status == "running"


@pytest.mark.parametrize("status", STATUSES)
def test_another_run_is_refused_and_every_key_is_named(
    toy_config: Config, leave, status: str
) -> None:
    folder = leave(toy_config, status)
    before = contents(folder)
    other = copy.deepcopy(toy_config)
    other.optim.optimizer.lr, other.seed, other.optim.epochs = 0.05, 9, 7
    other.runtime.hooks = [dict(type="EMAHook")]
    with pytest.raises(OtherRunError) as caught:
        earlier_record(folder, other, planned(other, data="other data"))
    assert [difference.key for difference in caught.value.differences] == [
        "optim.epochs",
        "optim.optimizer.lr",
        "runtime.hooks.0.type",
        "seed",
        "data (content)",
    ]
    message = str(caught.value)
    assert f"'{folder}' holds another run ({status}); nothing was written" in message
    assert "optim.optimizer.lr: 0.0001 there, 0.05 now" in message and "another --out" in message
    if status == "done":
        assert f"--start-from {folder} --out NEW" in message
        assert f"--extend {folder} --set optim.epochs=N" in message
    assert contents(folder) == before


def test_other_code_is_refused_unless_kept(toy_config: Config, leave) -> None:
    folder = leave(toy_config, version="0+old")
    record = run_record.read(folder)
    record.run_id = "0123456789"  # as older code named it
    run_record.write(record, folder)
    with pytest.raises(OtherRunError, match=r"code: 0\+old there, 1\+a now") as caught:
        earlier_record(folder, toy_config, planned(toy_config))
    assert "--keep-code" in str(caught.value)
    kept = earlier_record(folder, toy_config, planned(toy_config), keep_code=True)
    assert kept is not None and kept.code_version == "0+old"
    toy_config.seed = 3
    with pytest.raises(OtherRunError, match="seed: 0 there, 3 now"):
        earlier_record(folder, toy_config, planned(toy_config), keep_code=True)


def test_a_file_of_other_content_is_named(toy_config: Config, leave, tmp_path: Path) -> None:
    file = tmp_path / "sam2.pt"
    file.write_bytes(b"one")
    toy_config.model.backbone = dict(type="X", checkpoint=str(file))
    folder = leave(toy_config)
    file.write_bytes(b"another")
    with pytest.raises(OtherRunError, match=r"model\.backbone\.checkpoint \(content\): .* there"):
        earlier_record(folder, toy_config, planned(toy_config))


def test_a_run_is_not_scored_over_other_files_than_it_was_trained_with(
    toy_config: Config, leave, tmp_path: Path
) -> None:
    file = tmp_path / "sam2.pt"
    file.write_bytes(b"one")
    toy_config.model.backbone = dict(type="X", checkpoint=str(file))
    folder = leave(toy_config)
    run_folder.check_files(folder, toy_config.to_dict())
    file.write_bytes(b"another")
    with pytest.raises(ValueError, match=r"other files .*\n  - model\.backbone\.checkpoint: SHA"):
        run_folder.check_files(folder, toy_config.to_dict())
    moved = tmp_path / "moved.pt"
    moved.write_bytes(b"one")
    toy_config.model.backbone.checkpoint = str(moved)
    run_folder.check_files(folder, toy_config.to_dict())
    run_folder.check_files(tmp_path / "no run", toy_config.to_dict())


def test_a_folder_without_a_config_belongs_to_its_settings(tmp_path: Path) -> None:
    claim = partial(run_folder.claim_folder, tmp_path / "new", made="*.pth", way="--init WEIGHTS")
    claim(dict(lr=0.1, seed=0))
    claim(dict(lr=0.1, seed=0))
    with pytest.raises(OtherRunError, match=r"lr: 0\.1 there, 0\.2 now") as caught:
        claim(dict(lr=0.2, seed=0))
    assert str(caught.value).endswith("another folder\n  - --init WEIGHTS")


def test_checkpoints_of_nobody_are_not_gone_on_with(toy_config: Config, tmp_path: Path) -> None:
    (tmp_path / "epoch_3.pth").write_bytes(b"")
    with pytest.raises(OtherRunError, match="holds checkpoints; nothing was written"):
        earlier_record(tmp_path, toy_config, planned(toy_config))
    config.dump(toy_config, tmp_path / "config.py")
    assert earlier_record(tmp_path, toy_config, planned(toy_config)) is None


def test_a_record_that_cannot_be_read_is_not_written_over(
    toy_config: Config, tmp_path: Path
) -> None:
    (tmp_path / run_record.FILE_NAME).write_text("{")
    with pytest.raises(ValueError, match="no JSON"):
        earlier_record(tmp_path, toy_config, planned(toy_config))


def test_the_config_of_a_folder_is_read_without_running_imports(
    toy_config: Config, tmp_path: Path
) -> None:
    toy_config.custom_imports = dict(imports=["no_such_module_here"])
    config.dump(toy_config, tmp_path / "config.py")
    assert stored_config(tmp_path) == toy_config.to_dict()
    (tmp_path / "config.py").write_text("1 / 0")
    assert stored_config(tmp_path) is None and run_folder.finished(tmp_path) is None


def test_a_folder_is_trained_in_by_one_process_at_a_time(tmp_path: Path) -> None:
    """The other one is a fork, as loaders are: it must not keep what its parent lets go of."""
    context = multiprocessing.get_context("fork")

    def try_it(sender: Connection) -> None:
        try:
            with run_folder.held(tmp_path):
                sender.send("free")
        except FolderInUseError as error:
            sender.send(str(error))

    def ask() -> str:
        receiver, sender = context.Pipe(duplex=False)
        other = context.Process(target=try_it, args=(sender,))
        other.start()
        answer = receiver.recv()
        other.join()
        return answer

    with run_folder.held(tmp_path):
        answer = ask()
    assert f"another process trains in '{tmp_path}'; nothing was written" in answer
    assert ask() == "free"


def test_a_run_folder_brings_its_weights_where_it_has_some(tmp_path: Path) -> None:
    (tmp_path / "config.py").touch()
    assert find_target(str(tmp_path), None) == (str(tmp_path / "config.py"), None)
    (tmp_path / "best.safetensors").touch()
    assert find_target(str(tmp_path), None)[1] == tmp_path / "best.safetensors"
    other = tmp_path / "other.safetensors"
    other.touch()
    assert find_target(str(tmp_path), other)[1] == other


def test_anything_else_is_a_config(tmp_path: Path) -> None:
    assert find_target("auralsam2/mini_v1m", None) == ("auralsam2/mini_v1m", None)


def test_weights_that_come_with_the_package_are_a_checkpoint() -> None:
    shipped = input_path("builtin://auralsam2-mini")
    assert find_target("auralsam2/mini_v1m", shipped)[1] == locate("builtin://auralsam2-mini")
    with pytest.raises(ArgumentTypeError, match="unknown weights 'builtin://nothing'.* known: "):
        input_path("builtin://nothing")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no config\.py"):
        find_target(str(tmp_path), None)
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        find_target("auralsam2/mini_v1m", tmp_path / "nothing.safetensors")
