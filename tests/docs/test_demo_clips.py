"""Pages that fill the folder of the demo's clips fill it with those that `make demo` writes.

Tables are of these clips: those of other seeds and classes are another task with other numbers.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def stated(name: str) -> str:
    """What the Makefile says that a variable is."""
    found = re.search(rf"^{name} := (.+)$", MAKEFILE, re.MULTILINE)
    assert found, f"the Makefile states no {name}"
    return found[1]


def test_every_page_writes_the_clips_of_make_demo() -> None:
    command = re.compile(rf"make-synthetic {re.escape(stated('DEMO'))}/data (--[^#\n`]+)")
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    written = {
        f"{page.name}: {options.strip()}"
        for page in pages
        for options in command.findall(page.read_text(encoding="utf-8"))
    }
    assert written == {f"{page}: {stated('CLIPS')}" for page in ("grids.md", "methods.md")}
