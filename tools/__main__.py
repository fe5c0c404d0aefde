"""Dispatch ``auralsam2 SUBCOMMAND ...`` to the tool of that name."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from auralsam2 import __version__
from auralsam2.listing import files_in
from auralsam2.messages import is_message, message, unknown_name
from auralsam2.process_end import end_now, end_soon
from auralsam2.text_files import tolerate_any_text

TRACEBACK_VARIABLE = "AURALSAM2_TRACEBACK"
OF_TORCHRUN = "TORCHELASTIC_RUN_ID"
"""Set in the processes that share a training."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: arguments without the program's name. None for the command of this process: those of
            ``sys.argv``, and the process ends soon after, whatever components have left running.

    Returns:
        The exit status: the tool's own, 2 for a user's error, 130 when interrupted.
    """
    if argv is not None:
        return _dispatch(list(argv))
    status = 1  # Python's, of an exception
    try:
        status = _dispatch(sys.argv[1:])
        if OF_TORCHRUN in os.environ:
            end_now(status)
        return status
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        raise
    finally:
        end_soon(status)


def _dispatch(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        tolerate_any_text(stream)
    tools = find_tools()
    parser = _parser(tools)
    if not arguments:
        parser.print_help()
        return 0
    options = parser.parse_args(arguments)
    if options.command not in tools:
        parser.error(unknown_name("subcommand", options.command, tools))
    program = f"auralsam2 {options.command}"
    sys.argv = [program, *options.arguments]  # argparse takes a tool's name from here
    if options.traceback or os.environ.get(TRACEBACK_VARIABLE):
        return _run(tools[options.command], options.arguments)
    try:
        return _run(tools[options.command], options.arguments)
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, LookupError, OSError, ImportError) as error:
        if not is_message(error):
            raise
        print(f"{program}: error: {message(error)}", file=sys.stderr)
        print(f"(for the traceback, set {TRACEBACK_VARIABLE}=1)", file=sys.stderr)
        return 2


def find_tools() -> dict[str, Path]:
    """Return subcommand -> file of every tool, nothing imported."""
    files = files_in(Path(__file__).parent, "*.py")
    return {path.stem.replace("_", "-"): path for path in files if path.name[0] != "_"}


def summary(path: Path) -> str:
    """Return the first line of a file's docstring without importing it."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def _parser(tools: dict[str, Path]) -> argparse.ArgumentParser:
    width = max(map(len, tools))
    listed = "\n".join(f"  {name:<{width}}  {summary(path)}" for name, path in tools.items())
    parser = argparse.ArgumentParser(
        prog="auralsam2",
        description="Ablations of audio-prompted SAM2 for audio-visual segmentation.",
        epilog=f"subcommands:\n{listed}\n\nauralsam2 SUBCOMMAND --help explains one of them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"auralsam2 {__version__}")
    parser.add_argument("--traceback", action="store_true", help="show tracebacks of errors")
    parser.add_argument("command", metavar="SUBCOMMAND", help="see below")
    parser.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER)
    return parser


def _run(path: Path, arguments: Sequence[str]) -> int:
    name = f"{__package__}.{path.stem}" if __package__ else path.stem
    return int(import_module(name).main(list(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
