"""Write every predicted mask of a split at its frame's size, in the layout of the data's labels.

No labels are needed. Masks are PNG, white on black; classes in AVSBench's palette where the method
tells them apart. They lie where labels do: SUBSET/UID/labels_rgb (AVSBench), s4_data/gt_masks or
ms3_data/gt_masks (its object release), gt_mask/VIDEO/fid_N/EXPRESSION (Ref-AVS). Given again, the
command goes on with the clips that are missing.

Examples:
    auralsam2 predict work_dirs/demo/runs/dense-s0-1a2b3c4d5e --split test --out masks
    auralsam2 predict RUN --split test --out masks --set data.root=/data/AVSBench
    auralsam2 predict auralsam2/mini_ref_avs --checkpoint w.safetensors --split test_u --out masks
"""

from __future__ import annotations

from collections.abc import Sequence

from auralsam2.command_line import Parser, add_target, clip_bar, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Predict what is missing of a split."""
    options = _parser().parse_args(argv)

    from auralsam2.config import load, parse_overrides
    from auralsam2.data.datasets.guarded import counted
    from auralsam2.engine.evaluate import trained_model
    from auralsam2.engine.predictions import claim, dataset_to_predict, predict_split
    from auralsam2.engine.run_folder import find_target

    config, checkpoint = find_target(options.run, options.checkpoint)
    decode = {"evaluation.decode": options.decode} if options.decode else {}
    cfg = load(config, parse_overrides(options.set) | decode)
    dataset = dataset_to_predict(cfg, options.split)
    model = trained_model(cfg, checkpoint)
    claim(options.out, cfg, options.split, dataset, checkpoint)
    if checkpoint is None:
        print("no trained weights: the model is taken as built")
    with clip_bar() as bar:
        bar["on_start"](len(dataset))
        done = predict_split(model, cfg, dataset, options.out, bar["on_clip"])
    clips = counted(len(dataset), len(dataset.left_out))
    print(f"{options.split}: masks of {clips} in {options.out}, {done} of them predicted now")
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add_target(parser)
    add = parser.add_argument
    add("--split", required=True, help="train, val, or the name of a test split")
    add("--out", type=output_folder, required=True, help="folder of the masks")
    add("--decode", help="which candidate is the answer; default: evaluation.decode of the config")
    return parser


if __name__ == "__main__":
    run_file(__file__)
