"""What holds of every option of every subcommand; nothing here knows any of their names."""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import find_tools
from auralsam2_tools.__main__ import main as dispatch
from rich.table import Table

from auralsam2 import config
from auralsam2.command_line import input_path, table_console

SEVERAL = ("+", "*")


class Caught(Exception):
    """Carries the parser of a subcommand."""


def parser_of(tool: str, required: bool = False) -> argparse.ArgumentParser:
    """The parser of a subcommand; as it is, or with every option to be given alone."""

    def catch(self, args=None, namespace=None):
        raise Caught(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", catch)
        try:
            import_module(f"auralsam2_tools.{tool.replace('-', '_')}").main([])
        except Caught as caught:
            parser: argparse.ArgumentParser = caught.args[0]
    for action in parser._actions:
        action.required &= required
    return parser


PARSERS = {tool: parser_of(tool) for tool in find_tools()}


def actions() -> Iterator[tuple[argparse.ArgumentParser, argparse.Action]]:
    for parser in PARSERS.values():
        yield from ((parser, action) for action in parser._actions if action.nargs != 0)


def arguments(parser: argparse.ArgumentParser, action: argparse.Action, *values: str) -> list[str]:
    """A command line with an option once for every value, or with a positional."""
    if action.option_strings:
        return [f"{action.option_strings[-1]}={value}" for value in values]
    positionals = [other for other in parser._actions if not other.option_strings]
    return ["20"] * positionals.index(action) + list(values)


def example(action: argparse.Action, number: int) -> str:
    return list(action.choices)[number] if action.choices else str(number + 1)


def value_of(parser: argparse.ArgumentParser, action: argparse.Action, *values: str) -> object:
    return getattr(parser.parse_args(arguments(parser, action, *values)), action.dest)


def refused(parser: argparse.ArgumentParser, action: argparse.Action, value: str) -> bool:
    try:
        parser.parse_args(arguments(parser, action, value))
    except SystemExit as stop:
        return stop.code == 2
    return False


def kind(action: argparse.Action) -> type:
    """What an option's values are."""
    return type(action.type("20")) if action.type is not None else str


def test_an_option_of_several_values_adds_up() -> None:
    seen = 0
    for parser, action in actions():
        appends = type(action).__name__ == "_AppendAction"
        if not action.option_strings or not (action.nargs in SEVERAL or appends):
            continue
        seen += 1
        both = value_of(parser, action, example(action, 0), example(action, 1))
        single = [value_of(parser, action, example(action, n)) for n in (0, 1)]
        assert both == [*single[0], *single[1]], (parser.prog, action.option_strings)
    assert seen > 20


def test_a_repeated_option_leaves_the_default_as_it_is() -> None:
    for parser, action in actions():
        if action.option_strings and action.nargs in SEVERAL:
            before = repr(action.default)
            value_of(parser, action, example(action, 0), example(action, 1))
            assert repr(parser.parse_args([]).__dict__[action.dest]) == before


def test_all_wrong_values_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    for parser in PARSERS.values():
        numbers = [a for a in parser._actions if a.option_strings and kind(a) in (int, float)]
        wrong = [f"{action.option_strings[-1]}=nan" for action in numbers]
        if not wrong:
            continue
        with pytest.raises(SystemExit):
            parser.parse_args(wrong)
        shown = capsys.readouterr().err
        assert all(
            f"argument {'/'.join(action.option_strings)}: got 'nan'" in shown for action in numbers
        )


def test_numbers_are_numbers() -> None:
    seen = 0
    for parser, action in actions():
        if kind(action) not in (int, float):
            continue
        seen += 1
        for value in ("nan", "inf", "-inf", "1e999", "x", ""):
            assert refused(parser, action, value), (parser.prog, action.dest, value)
        if not refused(parser, action, "-1"):
            assert "-1" in str(action.help), f"{parser.prog} {action.dest}: what does -1 mean?"
        elif action.default is not None and action.nargs is None:
            assert math.isfinite(action.type(str(action.default)))
    assert seen > 30


MAY_BE_ZERO = {
    *("warmup", "seed", "seeds", "port", "lines", "level", "unseen", "lockstep", "oom_retries"),
    *("ray_jobs", "ray_retries", "slurm_gpus", "slurm_requeues"),
    *("report clips", "run-grid jobs", "run-sweep jobs"),
}


def test_counts_are_at_least_one(capsys: pytest.CaptureFixture[str]) -> None:
    for tool, parser in PARSERS.items():
        for action in parser._actions:
            if kind(action) is int and not {action.dest, f"{tool} {action.dest}"} & MAY_BE_ZERO:
                assert refused(parser, action, "0"), (tool, action.dest)
    assert capsys.readouterr().err.count("got '0', wanted a whole number, at least ") > 20


def outputs() -> Iterator[tuple[argparse.ArgumentParser, argparse.Action, bool]]:
    """Every option that names what is written, and whether that is a file."""
    from auralsam2.command_line import input_path, output_file, output_folder

    for parser, action in actions():
        if not issubclass(kind(action), Path):
            continue
        place = (parser.prog, action.dest)
        assert action.type in (input_path, output_file, output_folder), place
        writes = action.dest == "out" or re.search(r"\bwrite", str(action.help)) is not None
        assert not (writes and action.type is input_path), place
        if action.type is not input_path:
            yield parser, action, action.type is output_file


def test_what_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    found = list(outputs())
    assert len(found) > 15
    for parser, action, is_file in found:
        taken = "folder" if is_file else "file"
        for wrong in (taken, "file/below", "file/deep/below"):
            assert refused(parser, action, str(tmp_path / wrong)), (parser.prog, action.dest, wrong)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for parser, action, _ in found:
        assert refused(parser, action, str(tmp_path / "new")), (parser.prog, action.dest)


def test_folders_above_a_file_to_write_are_made(tmp_path: Path) -> None:
    for number, (parser, action, is_file) in enumerate(outputs()):
        path = tmp_path / str(number) / "new" / "x"
        assert value_of(parser, action, str(path)) == path
        assert path.parent.is_dir() == is_file
        assert not path.exists()


def test_a_home_folder_is_found_in_every_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for parser, action in actions():
        if issubclass(kind(action), Path):
            value = value_of(parser, action, "~/x")
            assert value in (tmp_path / "x", [tmp_path / "x"]), (parser.prog, action.dest)


def test_weights_that_do_not_come_with_the_package_are_refused_wherever_files_are_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reading = [(parser, action) for parser, action in actions() if action.type is input_path]
    assert reading
    for parser, action in reading:
        assert refused(parser, action, "builtin://auralsam2-mni"), (parser.prog, action.dest)
        said = capsys.readouterr().err
        assert "did you mean 'builtin://auralsam2-mini'? known: " in said and "sam2-mini" in said


@pytest.mark.parametrize("tool", PARSERS)
def test_an_unknown_option_has_status_2(tool: str) -> None:
    with pytest.raises(SystemExit) as stop:
        PARSERS[tool].parse_args(["--no-such-option"])
    assert stop.value.code == 2


def test_a_folder_that_a_config_names_is_refused_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    folder = f"runtime.work_dir={tmp_path}/file/below"
    assert dispatch(["train", "auralsam2/mini_v1m", "--set", folder]) == 2
    assert f"'{tmp_path}/file' is no folder" in capsys.readouterr().err


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


def test_rows_stay_whole_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("name", "number")
    table.add_row("x" * 60, "1.0")
    table_console().print(table)
    lines = capsys.readouterr().out.splitlines()
    assert sum("x" * 60 in line and "1.0" in line for line in lines) == 1
    assert max(map(len, lines)) < 100
    monkeypatch.setenv("FORCE_COLOR", "1")
    table_console().print(table)
    assert "x" * 60 not in capsys.readouterr().out, "a terminal of 40 columns"
