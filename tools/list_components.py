"""List every registered component with its registry's call contract.

Arguments without a default are marked: (required) ones are stated in the config, (given) ones come
from the model or the data section of the config when a component is built.

Examples:
    auralsam2 list-components
    auralsam2 list-components fusion metric
    auralsam2 list-components fusion --import gated_sum.py
    auralsam2 list-components --json
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auralsam2.command_line import Parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the registries as tables, or as JSON for other programs."""
    parser = Parser(__doc__)
    add, own = parser.add_argument, "files or modules of your own whose components to show, too"
    add("axes", nargs="*", metavar="AXIS", help="registries to show, e.g. fusion")
    add("--import", dest="imports", nargs="+", default=[], metavar="MODULE", help=own)
    add("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)

    from auralsam2.custom_imports import import_custom
    from auralsam2.messages import unknown_name
    from auralsam2.registry import REGISTRIES

    axes = [axis.replace("-", "_") for axis in options.axes] or list(REGISTRIES)
    unknown = [axis for axis in axes if axis not in REGISTRIES]
    if unknown:
        parser.error("\n".join(unknown_name("axis", axis, REGISTRIES) for axis in unknown))
    imports = {"custom_imports": {"imports": options.imports}}
    if problems := import_custom(imports, Path.cwd()):
        raise ValueError("\n".join(problems))
    listing = {axis: _describe(REGISTRIES[axis]) for axis in axes}
    if options.json:
        print(json.dumps(listing, indent=2))
    else:
        _print_tables(listing)
    return 0


def _describe(registry: Any) -> dict[str, Any]:
    """A registry's contract and, by name, its components' summaries and arguments."""
    components = {}
    for name in registry.names():
        component = registry.lookup(name)
        components[name] = {
            "summary": " ".join((inspect.getdoc(component) or "").partition("\n\n")[0].split()),
            "arguments": _arguments(component, registry.given),
        }
    return {"contract": registry.contract, "components": components}


def _arguments(component: Any, given: Sequence[str]) -> list[dict[str, Any]]:
    """Name, need and default (None where it has none, else as Python writes it) of each."""
    from auralsam2.signature import parameters_of

    found = []
    for name, parameter in parameters_of(component).known.items():
        optional = parameter.default is not parameter.empty
        need = "optional" if optional else "given" if name in given else "required"
        default = repr(parameter.default) if optional else None
        found.append({"name": name, "need": need, "default": default})
    return found


def _print_tables(listing: dict[str, dict[str, Any]]) -> None:
    from rich import print as show
    from rich.markup import escape
    from rich.table import Table

    for axis, registry in listing.items():
        table = Table("name", "what it is", "arguments", title_justify="left", expand=True)
        table.title = f"[bold]{axis}[/bold]: {escape(registry['contract'])}"
        for name, component in registry["components"].items():
            shown = ", ".join(_shown(argument) for argument in component["arguments"])
            table.add_row(escape(name), escape(component["summary"]), escape(shown))
        show(table)


def _shown(argument: dict[str, Any]) -> str:
    if argument["need"] == "optional":
        return f"{argument['name']}={argument['default']}"
    return f"{argument['name']} ({argument['need']})"


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
