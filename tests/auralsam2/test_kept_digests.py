"""What is kept is the same as what is read, and is never taken for what has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2 import kept_digests
from auralsam2.kept_digests import cached, content_digests, places


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content is read from now on."""
    names: list[str] = []
    content = kept_digests._content

    def told(path: Path) -> bytes:
        names.append(path.name)
        return content(path)

    monkeypatch.setattr(kept_digests, "_content", told)
    return names


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    root = tmp_path / "data"
    root.mkdir()
    paths = [root / "a b\nc.txt", root / os.fsdecode(b"d\xff"), root / "e"]
    for i, path in enumerate(paths):
        path.write_bytes(bytes([i]) * 3)
    return paths


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of tests are old enough."""
    monkeypatch.setattr(kept_digests, "YOUNG", -(10**12))


def of(paths: list[Path], kept: Path | None = None) -> list[bytes]:
    kept = kept or paths[0].parent / ".auralsam2" / "all.digests"
    found = content_digests(paths, paths[0].parent, [kept])
    digests = [found[path] for path in paths]
    assert digests == [hashlib.sha256(path.read_bytes()).digest() for path in paths]
    return digests


@pytest.mark.usefixtures("later")
def test_unchanged_files_are_read_once(files: list[Path], read: list[str]) -> None:
    first = of(files)
    assert read == [path.name for path in files]
    read.clear()
    assert of(files) == first and of(files[1:]) == first[1:]
    assert read == []


def rewritten(path: Path) -> None:
    path.write_bytes(b"new")


def exchanged_under_the_old_time(path: Path) -> None:
    stat = path.stat()
    path.write_bytes(b"new")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def longer_under_the_old_time(path: Path) -> None:
    stat = path.stat()
    path.write_bytes(b"longer")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replaced_by_another(path: Path) -> None:
    other = path.with_name("f")
    other.write_bytes(b"new")
    os.utime(other, ns=(0, path.stat().st_mtime_ns))
    os.replace(other, path)


def linked_elsewhere(path: Path) -> None:
    other = path.parent.parent / "f"
    other.write_bytes(b"new")
    path.unlink()
    path.symlink_to(other)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "change",
    [
        rewritten,
        exchanged_under_the_old_time,
        longer_under_the_old_time,
        replaced_by_another,
        linked_elsewhere,
    ],
)
def test_what_changed_is_read_again_and_nothing_else(
    files: list[Path], read: list[str], change: Callable[[Path], None]
) -> None:
    before = of(files)
    read.clear()
    change(files[1])
    after = of(files)
    assert read == [files[1].name]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    read.clear()
    assert of(files) == after
    assert read == []


def test_what_is_younger_than_the_clock_is_fine_is_not_kept(
    files: list[Path], read: list[str]
) -> None:
    for path in files[1:]:
        os.utime(path, ns=(0, 0))  # the time of change is now all the same
    of(files)
    of(files)
    assert read == 2 * [path.name for path in files]


@pytest.mark.usefixtures("later")
def test_foreign_files_and_folders_are_as_good_as_none(files: list[Path], read: list[str]) -> None:
    kept = files[0].parent / ".auralsam2" / "all.digests"
    of(files)
    content = kept.read_bytes()
    kept.write_bytes(b"P6 1 1\n")
    of(files)
    assert kept.read_bytes() == content
    kept.unlink()
    kept.mkdir()
    of(files)
    assert read == 3 * [path.name for path in files]


def test_a_missing_file_is_an_error(files: list[Path]) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        content_digests([*files, files[0].with_name("gone")], files[0].parent)


@pytest.mark.usefixtures("later")
def test_data_that_nobody_may_write_to_are_remembered_in_the_cache_folder(
    files: list[Path], read: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = files[0].parent
    (root / ".auralsam2").write_text("no folder can be made here")
    kept = places(root, "v1m/train")
    first = content_digests(files, root, kept)
    assert [path.name for path in (tmp_path / "cache").rglob("*.digests")] == ["v1m-train.digests"]
    read.clear()
    assert content_digests(files, root, kept) == first
    assert read == []
    # The same names below another root are other files.
    shutil.copytree(root, tmp_path / "copy")
    assert places(root, "v1m/train")[1] != places(tmp_path / "copy", "v1m/train")[1]
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cached(root, "f")[0].is_relative_to(tmp_path / "home" / ".cache" / "auralsam2")


def test_several_processes_may_keep_at_once(tmp_path: Path) -> None:
    """Each writes and reads the same file over and over; none ever sees a wrong digest."""
    root = tmp_path / "data"
    root.mkdir()
    for i in range(200):
        (root / str(i)).write_bytes(bytes([i]) * 100)
    program = (
        "import sys, hashlib\n"
        "from pathlib import Path\n"
        "from auralsam2 import kept_digests\n"
        "kept_digests.YOUNG = -10**12\n"
        "root = Path(sys.argv[1]); files = sorted(root.glob('[0-9]*'))\n"
        "kept = [root / '.auralsam2' / 'x.digests']\n"
        "for turn in range(40):\n"
        "    if turn % 4 == int(sys.argv[2]):\n"
        "        kept[0].unlink(missing_ok=True)\n"
        "    found = kept_digests.content_digests(files, root, kept)\n"
        "    for f in files: assert found[f] == hashlib.sha256(f.read_bytes()).digest()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(root), str(n)]) for n in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [path.name for path in (root / ".auralsam2").iterdir()] == ["x.digests"]
