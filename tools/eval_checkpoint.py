"""Score trained weights on the test splits of a config: a run again, or weights from elsewhere.

Sounds that can be heard (--audio): real; silence; swap, the sound of a clip in which other things
sound; noise, white and as loud as the clip; offscreen, a sound whose source is not in view. The
masks stay those of the real sound: J on silence is muted J, J on swap is swapped J. A, the share
of the frame that is predicted, is false-positive area where nothing in view sounds.

Examples:
    auralsam2 eval-checkpoint work_dirs/demo/runs/dense-s0-1a2b3c4d5e
    auralsam2 eval-checkpoint RUN --set data.root=data/AVSBench evaluation.decode=first
    auralsam2 eval-checkpoint RUN --audio real silence swap noise offscreen
    auralsam2 eval-checkpoint RUN --speed --json scores.json
    auralsam2 eval-checkpoint RUN --set evaluation.clicks=3
    auralsam2 eval-checkpoint auralsam2/released/v1m --checkpoint converted.safetensors
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from auralsam2.command_line import Parser, add_target, output_file, run_file
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate the selected weights of a run folder, or a checkpoint under a config."""
    options = _parser().parse_args(argv)

    from auralsam2.config import load, parse_overrides
    from auralsam2.engine.run_folder import find_target

    config, checkpoint = find_target(options.run, options.checkpoint)
    cfg = load(config, parse_overrides(options.set))

    from auralsam2.counterfactuals import heard_with
    from auralsam2.data.datasets.guarded import counted
    from auralsam2.engine.evaluate import evaluate_model, trained_model
    from auralsam2.engine.splits import test_datasets

    nodes = heard_with(cfg.data.test.to_dict(), options.audio) if options.audio else None
    if checkpoint is None:
        print("no trained weights: the model is taken as built")
    model, datasets = trained_model(cfg, checkpoint), test_datasets(cfg, nodes)
    result = evaluate_model(model, cfg, datasets)
    for split, scores in result.splits.items():
        shown = ", ".join(f"{k} {v:.4f}" for k, v in scores.metrics.items())
        if lacking := len(scores.left_out):
            shown += f" ({counted(len(next(iter(scores.per_clip.values()))), lacking)})"
        print(f"{split}: {shown}")
    print(*result.notes, sep="\n", end="\n" * bool(result.notes))
    plain: dict[str, Any] = {split: scores._asdict() for split, scores in result.splits.items()}
    if options.speed:
        plain["speed"] = _speed(model, datasets)
    if options.json:
        write_text(options.json, json.dumps(plain, indent=2))
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add_target(parser)
    heard = "what is heard, see above; default: the splits that the config states"
    parser.add_argument("--audio", nargs="+", metavar="SOUND", help=heard)
    parser.add_argument("--speed", action="store_true", help="also measure frames a second")
    parser.add_argument("--json", type=output_file, help="also write the scores, one entry a clip")
    return parser


def _speed(model: Any, datasets: dict[str, Any]) -> dict[str, Any]:
    """Measure, print and return the speed on the first clip."""
    from auralsam2.engine.efficiency import measure_speed

    speed = measure_speed(model, next(iter(datasets.values()))[0])
    shown = ", ".join(f"{name} {value:.1f}" for name, value in speed.frames_per_second.items())
    conditions = ", ".join(f"{name} {value}" for name, value in speed.conditions.items())
    print(f"speed: {shown} ({conditions})")
    return {**speed.frames_per_second, "conditions": speed.conditions}


if __name__ == "__main__":
    run_file(__file__)
