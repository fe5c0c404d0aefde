"""Every command that a page or a help text shows can be given as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import find_tools

from auralsam2 import config
from tests.tools.test_options import parser_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = {name.split("/")[0] for name in config.names()}
PROMPT = re.compile(r"^\s*(?:\$ )?auralsam2 (?!SUBCOMMAND)(.+)$", re.MULTILINE)
NO_COMMAND = re.compile(r"\.\.\.|…|[{}]|\[-")  # a pattern, as in a synopsis


def shown() -> list[tuple[str, str]]:
    """Where a command is shown, and the command without the program's name."""
    found = []
    for file in [*PAGES, *find_tools().values()]:
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
        if file.suffix == ".md":
            text = "\n".join(re.findall(r"^```(?:\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        found += [(file.name, line) for line in PROMPT.findall(text)]
    return found


SHOWN = [(where, line) for where, line in shown() if not NO_COMMAND.search(line)]


@pytest.mark.parametrize("tool", sorted({line.split()[0] for _, line in SHOWN}))
def test_shown_commands_are_understood(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool in find_tools()
    parser = parser_of(tool, required=True)
    wrong = []
    for where, line in SHOWN:
        if line.split()[0] != tool:
            continue
        words = shlex.split(line.partition(" | ")[0], comments=True)[1:]
        try:
            parser.parse_args(words)
        except SystemExit as stop:
            if stop.code:
                wrong.append(f"{where}: {line}: {capsys.readouterr().err.splitlines()[-1]}")
        names = [word for word in words if word.split("/")[0] in FOLDERS and "/" in word]
        wrong += [f"{where}: no config {name}" for name in names if name not in config.names()]
    assert not wrong, "\n".join(wrong)


def test_commands_are_shown() -> None:
    assert len(SHOWN) > 100
    assert {line.split()[0] for _, line in SHOWN} == set(find_tools())
