from __future__ import annotations

from pathlib import Path

from auralsam2.listing import files_below, files_in, folders_in


def test_folders_are_listed_without_clutter(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "c.txt", "._a.py", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).touch()
    for name in ("sub", ".hidden", "dir.py"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "d.py").touch()
    assert [p.name for p in files_in(tmp_path)] == ["a.py", "b.py", "c.txt"]
    assert [p.name for p in files_in(tmp_path, "*.py")] == ["a.py", "b.py"]
    assert [p.name for p in folders_in(tmp_path)] == ["dir.py", "sub"]
    below = [p.relative_to(tmp_path).as_posix() for p in files_below(tmp_path, "*.py", "*.txt")]
    assert below == ["a.py", "b.py", "c.txt", "dir.py/d.py", "sub/d.py"]
    for nothing in (tmp_path / "gone", tmp_path / "a.py"):
        assert files_in(nothing) == folders_in(nothing) == files_below(nothing) == []
