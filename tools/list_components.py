"""List every registered component with its registry's call contract.

Examples:
    auralsam2 list-components
    auralsam2 list-components fusion metric
    auralsam2 list-components --json
"""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Print the registries as tables, or as JSON for other programs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("axes", nargs="*", metavar="AXIS", help="registries to show, e.g. fusion")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)

    from auralsam2.registry import REGISTRIES
    from auralsam2.suggestions import unknown_name

    axes = [axis.replace("-", "_") for axis in options.axes] or list(REGISTRIES)
    unknown = [axis for axis in axes if axis not in REGISTRIES]
    if unknown:
        parser.error("\n".join(unknown_name("axis", axis, REGISTRIES) for axis in unknown))
    listing = {axis: describe(REGISTRIES[axis]) for axis in axes}
    if options.json:
        print(json.dumps(listing, indent=2))
    else:
        _print_tables(listing)
    return 0


def describe(registry: Any) -> dict[str, Any]:
    """Return a registry's contract and, by name, its components' summaries and arguments."""
    components = {}
    for name in registry.names():
        component = registry.lookup(name)
        docstring = inspect.getdoc(component) or ""
        components[name] = {
            "summary": " ".join(docstring.partition("\n\n")[0].split()),
            "arguments": _arguments(component),
        }
    return {"contract": registry.contract, "components": components}


def _arguments(component: Callable[..., Any]) -> list[str]:
    from auralsam2.signature import parameters_of

    return [
        name if parameter.default is parameter.empty else f"{name}={parameter.default!r}"
        for name, parameter in parameters_of(component).known.items()
    ]


def _print_tables(listing: dict[str, dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    for axis, registry in listing.items():
        table = Table("name", "what it is", "arguments", title_justify="left", expand=True)
        table.title = f"[bold]{axis}[/bold]: {escape(registry['contract'])}"
        for name, component in registry["components"].items():
            arguments = escape(", ".join(component["arguments"]))
            table.add_row(escape(name), escape(component["summary"]), arguments)
        console.print(table)
    console.print(
        "An argument without a value is required or given at build time "
        "(channels, embedding_size, depth, root, image_size)."
    )


if __name__ == "__main__":
    raise SystemExit(main())
