"""Both recipes of containers install by the Makefile alone, from the files that it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "containers"
DOCKER = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
APPTAINER = (FOLDER / "auralsam2.def").read_text(encoding="utf-8")
PLACE = "/opt/auralsam2"


def section(name: str) -> list[str]:
    """The lines of a section of Apptainer's recipe."""
    found = re.search(rf"^%{name}\n((?:[ \t]+.*\n|\n)+)", APPTAINER, re.MULTILINE)
    assert found, f"no section %{name}"
    return [line.strip() for line in found[1].splitlines() if line.strip()]


def copied() -> set[str]:
    """What Docker copies, each to a place of its own name."""
    names: set[str] = set()
    for line in re.findall(r"^COPY (.+)$", DOCKER, re.MULTILINE):
        *sources, target = line.split()
        names.update(sources)
        assert target == "./" or [target] == sources
    return names


def test_both_run_the_same_script_and_install_nothing_themselves() -> None:
    assert re.findall(r"^RUN (.+)$", DOCKER, re.MULTILINE) == [
        'TORCH_INDEX="$TORCH_INDEX" containers/install'
    ]
    assert section("post") == [f"{PLACE}/containers/install"]
    for recipe in (DOCKER, APPTAINER):
        assert not re.search(r"\b(pip|apt-get|apt|conda|make)\b", recipe)
    script = (FOLDER / "install").read_text(encoding="utf-8")
    assert not re.search(r"\bpip install\b|constraints", script) and "make install" in script
    assert (FOLDER / "install").stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", str(FOLDER / "install")]).returncode == 0


def test_both_begin_with_one_image_whose_python_is_supported() -> None:
    (image,) = re.findall(r"^FROM (.+)$", DOCKER, re.MULTILINE)
    assert re.findall(r"^From: (.+)$", APPTAINER, re.MULTILINE) == [image]
    minor = re.match(r"python:3\.(\d+)-slim", image)
    assert minor is not None and 10 <= int(minor[1]) <= 13


def test_both_start_the_command_of_their_environment() -> None:
    for recipe in (DOCKER, APPTAINER):
        assert f"PATH={PLACE}/.venv/bin:$PATH" in recipe
    assert 'ENTRYPOINT ["auralsam2"]' in DOCKER and section("runscript") == ['exec auralsam2 "$@"']
    assert f"WORKDIR {PLACE}\n" in DOCKER


def test_both_copy_what_an_installation_needs_and_nothing_else(tmp_path: Path) -> None:
    names = copied()
    files = dict(line.split() for line in section("files"))
    assert set(files.values()) == {f"{PLACE}/"}
    assert {"containers" if n.startswith("containers/") else n for n in names} == set(files)
    for name in names:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.pyc", "*.safetensors"))
        else:
            shutil.copy(source, target)
    told = plan(tmp_path)
    assert told == plan(ROOT) and any(" sam2" in line for line in told)
    done = subprocess.run(
        [shutil.which("python3") or "python3", "setup.py", "--quiet", "--version"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.strip() == __import__("auralsam2").__version__


def plan(folder: Path) -> list[str]:
    """What `make install` would do in a folder that has no environment yet."""
    if shutil.which("make") is None:
        pytest.skip("no make")
    command = ["make", "--dry-run", "install", "HEADLESS=1", "VENV=.none"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if "pip install" in line]
