"""Check configs: every key, type and component, all problems at once.

Weights, data and the GPU of runtime.device are not looked for, as this may be a login node: the
commands that want them do that, before they write anything.

Examples:
    auralsam2 check-config auralsam2/mini_v1m
    auralsam2 check-config my_config.py --set optim.epochs=2 model.fusion=GatedSumFusion
    auralsam2 check-config methods/unprompted_v1m --base auralsam2/mini_v1s --print
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from auralsam2.command_line import Parser, add_overrides, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Load the configs and print their hashes, or their problems and exit with 1."""
    parser = Parser(__doc__)
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="a name or a path in .py")
    parser.add_argument("--base", help="config to inherit from in place of the one named there")
    add_overrides(parser, "overrides, applied in order")
    parser.add_argument("--print", action="store_true", help="print the resolved config")
    options = parser.parse_args(argv)

    from auralsam2.config import ConfigError, config_hash, load, parse_overrides
    from auralsam2.engine.preflight import setting_problems

    failed = False
    overrides = parse_overrides(options.set)
    for name in options.configs:
        try:
            cfg = load(name, overrides, options.base)
            if problems := setting_problems(cfg):
                raise ConfigError(problems, source=f"config {name!r}")
        except ConfigError as error:
            failed = True
            print(error, file=sys.stderr)
            if "grids/" in name:
                print(f"A grid? Try: auralsam2 run-grid {name} --dry-run", file=sys.stderr)
            continue
        print(f"{name}: OK, hash {config_hash(cfg)[:16]}")
        if options.print:
            print(cfg.pretty_text)
    return 1 if failed else 0


if __name__ == "__main__":
    run_file(__file__)
