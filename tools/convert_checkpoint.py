"""Convert the authors' published checkpoints to ours and back, without loss.

Examples:
    auralsam2 convert-checkpoint avs_hiera_l.pth avs_hiera_l.safetensors
    auralsam2 eval-checkpoint RUN --checkpoint avs_hiera_l.safetensors
    auralsam2 convert-checkpoint RUN/best.safetensors fuser.pth --to authors --layout fuser
"""

from __future__ import annotations

from collections.abc import Sequence

from auralsam2.command_line import Parser, input_path, output_file, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Convert one file and print what of it matched."""
    options = _parser().parse_args(argv)

    from auralsam2.engine.conversion.convert import Options, aside_path, convert_file

    chosen = Options(**{name: getattr(options, name) for name in Options._fields})
    done = convert_file(options.source, options.target, chosen)
    print(done.report)
    print(f"{len(done.state)} tensors written to {options.target}")
    if done.aside:
        print(
            f"tensors without a place: {len(done.aside)}, set aside in {aside_path(options.target)}"
        )
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("source", type=input_path, metavar="IN", help="a .pth, .pt or .safetensors file")
    add("target", type=output_file, metavar="OUT", help="likewise, by its suffix")
    add("--to", choices=("ours", "authors"), help="whose names; default: not those it has")
    layout = "with or without SAM2 and the text encoder; default: full where they are in IN"
    add("--layout", choices=("fuser", "full"), help=layout)
    add("--variant", choices=("avs", "ref"), help="needed only where IN has no projection heads")
    unused = "make the never used parameters where IN lacks them"
    add("--unused", choices=("zeros",), help=unused)
    ages = ("current", "audio_prompter", "training_layers")
    names = "age of the authors' names to write"
    add("--naming", choices=ages, default="current", help=names)
    partial = "convert what matches, set the rest aside"
    add("--allow-partial", action="store_true", help=partial)
    return parser


if __name__ == "__main__":
    run_file(__file__)
