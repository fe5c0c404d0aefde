from __future__ import annotations

import ast
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


ROOT = Path(__file__).parents[2]
LISTS = {"iterdir", "listdir", "scandir", "walk"}
PATTERNS = {"glob", "rglob"}
CODE = [
    path
    for package in ("auralsam2", "ablations", "analysis", "tools", "benchmarks")
    for path in files_below(ROOT / package, "*.py")
]


def _finds_anything(call: ast.Call) -> bool:
    """Whether a call lists files whatever they are called in front, as clutter is."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    of_ast = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "ast"
    if name in PATTERNS and call.args and isinstance(call.args[0], ast.Constant):
        return str(call.args[0].value).startswith(("*", "?"))
    return name in LISTS and not of_ast


def test_folders_are_listed_in_one_place() -> None:
    found = {}
    # Those of a package may lie in an archive.
    ours = [ROOT / "auralsam2" / "listing.py", ROOT / "auralsam2/models/weights/__init__.py"]
    for path in (path for path in CODE if path not in ours):
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        calls = [n for n in tree if isinstance(n, ast.Call) and _finds_anything(n)]
        found.update({f"{path}:{call.lineno}": ast.unparse(call) for call in calls})
    assert not found, "use auralsam2.listing, which knows what operating systems leave"
