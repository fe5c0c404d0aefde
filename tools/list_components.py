"""List every registered component with its registry's call contract.

Arguments without a default are marked: (required) ones are stated in the config, (given) ones come
from the model or the data section of the config when a component is built.

Examples:
    auralsam2 list-components
    auralsam2 list-components fusion metric
    auralsam2 list-components sampler pruner parameter executor paper-part claim
    auralsam2 list-components fusion --import gated_sum.py
    auralsam2 list-components --json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from auralsam2.command_line import Parser, run_file, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Print the registries as tables, or as JSON for other programs."""
    parser = Parser(__doc__)
    add, own = parser.add_argument, "files or modules of your own whose components to show, too"
    add("axes", nargs="*", metavar="REGISTRY", help="what to show, e.g. fusion; default: all")
    add("--import", dest="imports", nargs="+", default=[], metavar="MODULE", help=own)
    add("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)

    from auralsam2.custom_imports import import_stated
    from auralsam2.messages import unknown_name

    registries = all_registries()
    axes = [axis.replace("-", "_") for axis in options.axes] or list(registries)
    unknown = [axis for axis in axes if axis not in registries]
    if unknown:
        parser.error("\n".join(unknown_name("registry", axis, registries) for axis in unknown))
    import_stated({"custom_imports": {"imports": options.imports}})
    listing = {axis: registries[axis].describe() for axis in axes}
    if options.json:
        print(json.dumps(listing, indent=2))
    else:
        _print_tables(listing)
    return 0


def all_registries() -> dict[str, Any]:
    """Those of a config, then those of what is made of runs, by the name of what they hold."""
    from ablations.executors.base import EXECUTORS
    from ablations.sweeps.parameters import PARAMETERS
    from ablations.sweeps.samplers import PRUNERS, SAMPLERS
    from analysis.claims.claim import CLAIMS
    from analysis.paper.part import PARTS
    from auralsam2.data.corruptions.base import CORRUPTIONS
    from auralsam2.registry import REGISTRIES

    others = (CORRUPTIONS, PARAMETERS, SAMPLERS, PRUNERS, EXECUTORS, PARTS, CLAIMS)
    return REGISTRIES | {registry.config_key: registry for registry in others}


def _print_tables(listing: dict[str, dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = table_console()

    for axis, registry in listing.items():
        table = Table("name", "what it is", "arguments", expand=console.is_terminal)
        rows: dict[tuple[str, str], list[str]] = {}  # a component may have several names
        for name, component in registry["components"].items():
            shown = (
                f"{each['name']}={each['default']}"
                if each["need"] == "optional"
                else f"{each['name']} ({each['need']})"
                for each in component["arguments"]
            )
            rows.setdefault((component["summary"], ", ".join(shown)), []).append(name)
        for (summary, arguments), names in rows.items():
            table.add_row(*(Text(cell) for cell in (", ".join(names), summary, arguments)))
        console.print(Text.assemble((axis, "bold"), f": {registry['contract']}"))
        console.print(table)


if __name__ == "__main__":
    run_file(__file__)
