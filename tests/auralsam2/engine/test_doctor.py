"""Rows say what is there, and what to do where it is not."""

from __future__ import annotations

import re
import sys
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
import torch

from auralsam2 import config as configs
from auralsam2.engine import doctor
from auralsam2.engine.doctor import Row, installed, looked_at, machine, of_config
from auralsam2.engine.preflight import check_weights, setting_problems


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch):
    """Let the installed metadata of the package state other requirements."""

    def state(*requirements: str, python: str = ">=3.10", extras: tuple[str, ...] = ()) -> None:
        about = Message()
        about["Requires-Python"] = python
        for extra in extras:
            about["Provides-Extra"] = extra
        monkeypatch.setattr(metadata, "metadata", lambda name: about)
        monkeypatch.setattr(metadata, "requires", lambda name: list(requirements))
        monkeypatch.setattr(doctor, "COMPILED", ())

    return state


def by_part(rows) -> dict[str, Row]:
    rows = list(rows)
    found = {row.part: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_what_is_required_here_is_usable() -> None:
    rows = by_part(installed())
    required = [row for row in rows.values() if row.required]
    assert len(required) == 2 + len(doctor.COMPILED)
    assert [row for row in required if not row.usable] == []
    assert rows["torch"].found == torch.__version__
    provided = metadata.metadata("auralsam2").get_all("Provides-Extra")
    extras = [part for part in rows if part.startswith("extra ")]
    assert extras == [f"extra [{name}]" for name in provided] and "extra [video]" in extras


def test_missing_and_old_libraries_are_named_with_what_to_install(stated) -> None:
    stated(
        *("numpy>=1", "nothing-such>=2", "rich>=999"),
        *('scipy>=1; extra == "a"', 'no-video>=14; extra == "b"', 'numpy>=1; extra == "b"'),
        extras=("a", "b"),
    )
    rows = by_part(installed())
    assert not rows["libraries"].usable and rows["libraries"].required
    told = rows["libraries"].found
    assert told.startswith("no nothing-such; rich ") and told.endswith(", wanted >=999")
    assert rows["extra [a]"].usable and rows["extra [a]"].found.startswith("scipy ")
    assert rows["extra [a]"].remedy == ""
    assert rows["extra [b]"][1:] == (False, "no no-video", "pip install 'auralsam2[b]'", False)


def test_a_requirement_of_another_python_is_not_missed(stated) -> None:
    stated('nothing-such>=1; python_version < "3"', python=">=99")
    rows = by_part(installed())
    assert rows["libraries"].usable
    assert not rows["Python"].usable and rows["Python"].found.endswith("wanted >=99")


def test_no_installed_package_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISTRIBUTION", "auralsam-2000")
    (row,) = installed()
    assert row.required and not row.usable and row.found == "not installed"


def test_a_library_that_does_not_load_costs_no_other_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    (tmp_path / "sam2.py").write_text("raise RuntimeError('built for another torch')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [n for n in sys.modules if n.partition(".")[0] in ("cv2", "sam2")]:
        monkeypatch.delitem(sys.modules, name)
    rows = by_part(installed())
    assert rows["cv2"][1:3] == (False, "libGL.so.1: cannot open")
    assert rows["cv2"].remedy == doctor.REMEDIES["cv2"] and rows["cv2"].required
    assert rows["sam2"].found == "RuntimeError: built for another torch"
    assert rows["torch"].usable and rows["libraries"].usable


def test_errors_that_are_no_messages_have_their_kind() -> None:
    def look() -> str:
        raise KeyError("masks")

    assert looked_at("it", look, "do this") == Row("it", False, "KeyError: 'masks'", "do this")


def test_the_machine_without_a_gpu_or_tex(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work_dirs").write_text("")
    rows = by_part(machine())
    assert list(rows) == ["GPU", "TeX", "room for runs", "cache"]
    assert not any(row.usable for row in rows.values())
    assert not any(row.required for row in rows.values())
    assert torch.__version__ in rows["GPU"].found and "pdflatex" in rows["TeX"].found
    assert f"'{tmp_path / 'file'}'" in rows["cache"].found
    assert rows["room for runs"].found == "'work_dirs' is a file; name a folder"
    assert "--out" in rows["room for runs"].remedy
    (tmp_path / "work_dirs").unlink()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "tectonic").write_text("")
    (tmp_path / "tectonic").chmod(0o755)
    rows = by_part(machine())
    assert rows["cache"][1:3] == (True, str(tmp_path / "auralsam2"))
    assert re.fullmatch(r"work_dirs: [\d,]+\.\d GiB left", rows["room for runs"].found)
    assert not (tmp_path / "work_dirs").exists()
    assert rows["TeX"][1:] == (True, "tectonic", "", False)


def test_gpus_are_told_with_memory_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    class About:
        name, total_memory = "NVIDIA Toy", 80 * 2**30

    class Current:
        def __init__(self, index: int) -> None:
            self.index = index

        def __enter__(self) -> None:
            monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: self.index == 0)

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "device", Current)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: About)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA Toy")
    found = by_part(machine())["GPU"].found
    assert found.endswith(
        "cuda:0 NVIDIA Toy, 80 GiB, bfloat16; cuda:1 NVIDIA Toy, 80 GiB, no bfloat16"
    )


def test_a_config_is_told_what_its_run_would_be_told(tmp_path: Path) -> None:
    name = "auralsam2/hiera_tiny_v1m"
    overrides = [f"data.root={tmp_path}", "optim.amp=None", "runtime.device=cpu"]
    rows = by_part(of_config(name, [*overrides, f"runtime.work_dir={tmp_path / 'runs'}"]))
    assert rows["settings"].usable and rows["device"][1:3] == (True, "cpu")
    assert rows["runs"].usable and rows["runs"].found.startswith(f"{tmp_path / 'runs'}: ")
    with pytest.raises(FileNotFoundError) as caught:
        check_weights(configs.load(name))
    weights = [row.found for part, row in rows.items() if part.startswith("weights of ")]
    assert "\n".join(weights) == str(caught.value)
    assert not rows["data"].usable and str(tmp_path) in rows["data"].found
    assert all(row.required for row in rows.values())


def test_settings_that_do_not_go_together_end_the_look(tmp_path: Path) -> None:
    name, wrong = "auralsam2/mini_v1m", {"evaluation.decode": "guess", "data.image_size": 100}
    (row,) = of_config(name, [f"{key}={value}" for key, value in wrong.items()])
    assert not row.usable and row.required
    assert row.found == "\n".join(setting_problems(configs.load(name, wrong)))
    (row,) = of_config("auralsam2/mini_v1m", ["optim.epoch=1"])
    assert "optim.epoch" in row.found
    (tmp_path / "broken.py").write_text("model = (")
    (row,) = of_config(str(tmp_path / "broken.py"), [])
    assert not row.usable and row.found.startswith(str(tmp_path / "broken.py"))


def test_a_start_that_is_not_there(tmp_path: Path) -> None:
    rows = by_part(of_config("auralsam2/mini_v1m", ["start.weights=nowhere.safetensors"]))
    assert not rows["start"].usable and "nowhere.safetensors" in rows["start"].found
