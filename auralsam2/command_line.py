"""What the options of all subcommands have in common: lists that add up, numbers, paths, --set.

Imports nothing that takes time, as every ``--help`` goes through it.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from auralsam2.weight_files import BUILTIN, builtin_file

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NO_WIDTH = 100_000
"""Characters of a line where nothing limits them."""


class Parser(argparse.ArgumentParser):
    """Parser of a subcommand, whose docstring is shown as it is.

    An option of several values adds up where it is repeated, and of values that options cannot
    have all are told at once.
    """

    def __init__(self, description: str | None, epilog: str | None = None) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(description=description, epilog=epilog, formatter_class=layout)
        for action in (None, "store"):
            self.register("action", action, _Store)
        self._problems: list[str] = []
        self._useless: list[tuple[str, str, Sequence[str]]] = []
        self._needed: list[tuple[str, str]] = []

    def useless(self, flag: str, why: str, *others: str) -> None:
        """Refuse options that have no effect beside a flag, all at once; ``why`` follows it."""
        self._useless.append((flag, why, others))

    def needed(self, option: str, flag: str) -> None:
        """Refuse an option that has no effect without a flag."""
        self._needed.append((option, flag))

    def given(self, options: argparse.Namespace, *names: str) -> list[str]:
        """Those of all options, or of some by name, whose values differ from their defaults."""
        actions = {name: own for own in self._actions for name in own.option_strings[-1:]}
        actions.pop("--help", None)
        chosen = {name: actions[name] for name in names or actions}
        return [n for n, own in chosen.items() if getattr(options, own.dest) != own.default]

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, then make the folders of the files that will be written."""
        self._problems = []
        options = super().parse_args(args, namespace)
        for flag, why, others in self._useless:
            told = self.given(options, *others) if self.given(options, flag) else []
            if told:
                self._problems.append(f"{flag} {why}: leave out {', '.join(told)}")
        for option, flag in self._needed:
            if self.given(options, option) and not self.given(options, flag):
                self._problems.append(f"{option} has no effect without {flag}")
        if self._problems:
            self.error("\n".join(self._problems))
        for action in self._actions:
            value = getattr(options, action.dest, None)
            if action.type is output_file and isinstance(value, Path):
                try:
                    value.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    self.error(str(argparse.ArgumentError(action, str(error))))
        return options

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError as error:
            self._problems.append(str(error))
            return None


class _Store(argparse.Action):
    """Store one value, or add several to those that stand there already."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if self.nargs in (None, argparse.OPTIONAL):
            setattr(namespace, self.dest, values)
            return
        stated = getattr(namespace, self.dest, None)
        earlier = [] if stated is None or stated is self.default else stated
        setattr(namespace, self.dest, [*earlier, *(values or ())])


class OptionError(argparse.ArgumentTypeError, ValueError):
    """A value that an option cannot have; argparse shows it, and so does a subcommand."""


@dataclass(frozen=True)
class Whole:
    """Type of an option that takes a whole number, of at least ``least``."""

    least: int | None = None

    def __call__(self, text: str) -> int:
        """Read a number; an OptionError where it is none, or too small."""
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or (self.least is not None and number < self.least):
            least = "" if self.least is None else f", at least {self.least}"
            raise OptionError(f"got {text!r}, wanted a whole number{least}")
        return number


@dataclass(frozen=True)
class Real:
    """Type of an option that takes a finite number, ``above`` one and of at least ``least``."""

    above: float | None = None
    least: float | None = None

    def __call__(self, text: str) -> float:
        """Read a number; an OptionError where it is none, not finite, or too small."""
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        small = (self.least is not None and number < self.least) or (
            self.above is not None and number <= self.above
        )
        if not math.isfinite(number) or small:
            bound = "" if self.least is None else f" of at least {self.least:g}"
            bound += "" if self.above is None else f" above {self.above:g}"
            raise OptionError(f"got {text!r}, wanted a finite number{bound}")
        return number


def run_file(file: str) -> NoReturn:
    """Run the subcommand in a file as ``auralsam2`` runs it, for ``python tools/NAME.py``."""
    from importlib.metadata import entry_points

    sys.argv[1:1] = [Path(file).stem.replace("_", "-")]
    command = next(iter(entry_points(group="console_scripts", name="auralsam2")))
    raise SystemExit(command.load()())


def input_path(text: str) -> Path:
    """Type of an option that names what is read; ``~`` is the user's folder.

    ``builtin://NAME`` are weights that come with the package; others are refused.
    """
    if not text.startswith(BUILTIN):
        return Path(os.path.expanduser(text))
    if not (path := builtin_file(text)).is_file():
        from auralsam2.listing import files_in
        from auralsam2.messages import unknown_name

        known = [BUILTIN + found.stem for found in files_in(path.parent, "*.safetensors")]
        raise argparse.ArgumentTypeError(unknown_name("weights", text, known))
    return path


def output_file(text: str | Path) -> Path:
    """Type of an option that names a file to write: refused where that cannot be.

    `Parser` makes the folders above it once all options are read.

    Raises:
        OptionError: where a folder stands in its place, a file in that of a folder above it, or
            this user may not write there.
    """
    path = Path(os.path.expanduser(text))
    if not str(text) or path.is_dir():
        raise OptionError(f"'{text}' is a folder; name a file in it")
    _check_writable(path, path if path.exists() else _above(path))
    return path


def output_folder(text: str | Path) -> Path:
    """Type of an option that names a folder to write into, there or not.

    Raises:
        OptionError: where a file stands in its place or in that of a folder above it, or this
            user may not write there.
    """
    path = Path(os.path.expanduser(text))
    if path.exists() and not path.is_dir():
        raise OptionError(f"'{text}' is a file; name a folder")
    _check_writable(path, path if path.exists() else _above(path))
    return path


def add_overrides(parser: argparse._ActionsContainer, help: str) -> None:
    """Add ``--set``, for `auralsam2.config.parse_overrides`; ``help`` says what it overrides."""
    help = f"{help}; of one key the last counts"
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help=help)


def add_target(parser: argparse._ActionsContainer) -> None:
    """Add what is evaluated, as `auralsam2.engine.run_folder.find_target` takes it, and --set."""
    parser.add_argument("run", help="a run folder, or a config by name or path")
    parser.add_argument(
        "--checkpoint", type=input_path, help="other weights than the run's own, builtin://NAME too"
    )
    add_overrides(parser, "overrides, applied in order")


def add_workers(parser: argparse._ActionsContainer) -> None:
    """Add ``--workers``, the number of processes that read and write clips."""
    processes = min(8, os.cpu_count() or 1)
    add = parser.add_argument
    add("--workers", type=Whole(1), default=processes, help="processes (%(default)s)")


@contextmanager
def clip_bar(what: str = "clips") -> Iterator[dict[str, Any]]:
    """Show a bar of clips, or of ``what``, beside standard output, which is a report's.

    Where standard error is no terminal, nothing is shown.

    Yields:
        ``on_start`` to be called with their number, and ``on_clip`` with each.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task(escape(what), total=None)
        yield {
            "on_start": lambda total: bars.update(bar, total=total),
            "on_clip": lambda: bars.advance(bar),
        }


def table_console() -> Console:
    """Where a subcommand prints its tables: standard output.

    A terminal has its width. A pipe or a file has none: there every row stands on one line, so that
    no name is broken into pieces.
    """
    from rich.console import Console

    console = Console(markup=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, emoji=False, width=NO_WIDTH)


def table_of(cells: Mapping[tuple[str, str], str]) -> Table:
    """A table of cells by row and column, both in the order in which they come."""
    from rich.table import Table

    table, names = Table("", box=None), list(dict.fromkeys(name for _, name in cells))
    for name in names:
        table.add_column(name, justify="right", overflow="fold", min_width=6)
    for label in dict.fromkeys(label for label, _ in cells):
        table.add_row(label, *(cells.get((label, name), "") for name in names))
    return table


def _above(path: Path) -> Path:
    """The nearest folder above a path that is there, or what is there in its place."""
    return next((parent for parent in path.absolute().parents if os.path.lexists(parent)), path)


def _check_writable(path: Path, there: Path) -> None:
    if there != path and not there.is_dir():
        raise OptionError(f"cannot write '{path}': '{there}' is no folder")
    if not os.access(there, os.W_OK | (os.X_OK if there.is_dir() else 0)):
        raise OptionError(f"cannot write '{path}': no permission to write '{there}'")
