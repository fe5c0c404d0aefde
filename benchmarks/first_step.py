"""What the first step of a config costs: seconds, peak memory and trained weights.

python benchmarks/first_step.py methods/gavs_v1m
python benchmarks/first_step.py methods/av_sam_v1m --set optim.amp=None   # without a GPU
python benchmarks/first_step.py methods/tpavi_v2 --layout v2 --set data.batch_size=2

Synthetic clips of the config's layout are written to a temporary folder, and every part that reads
pretrained weights starts at random instead. One batch is trained on and one of val is scored, as
``run-grid --preflight`` does. The peak is that of the process, or of the GPU where there is one.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

from auralsam2 import config
from auralsam2.data.synthetic.layout import Plan
from auralsam2.data.synthetic.writer import LAYOUTS, write_clips
from auralsam2.engine.evaluate import build_model
from auralsam2.engine.preflight import first_step
from auralsam2.model_parts import parts_of
from auralsam2.registry import load_all
from auralsam2.signature import parameters_of

WEIGHTS = ("checkpoint", "weights")


def without_weights(model: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Overrides that let every part of a model start at random."""
    for part in parts_of(model):
        for key in WEIGHTS:
            if part.arguments.get(key) is not None:
                yield f"{part.path}.{key}", None
                if "random_weights" in parameters_of(part.component).known:
                    yield f"{part.path}.random_weights", True


def measure(name: str, layout: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Train on one batch of a config and score another."""
    load_all()
    MMLogger.get_instance("first_step", log_level="ERROR")  # it lists every frozen weight
    cfg = config.load(name, overrides)
    overrides = {**dict(without_weights(cfg.model.to_dict())), **overrides}
    shape, clips = LAYOUTS[layout], cfg.data.batch_size
    with tempfile.TemporaryDirectory() as folder:
        counts = (clips, *[8] * (len(shape.splits) - 1))
        write_clips(Path(folder), Plan(layout, counts, seed=0, num_frames=shape.num_frames))
        cfg = config.load(name, {**overrides, "data.root": folder, "data.num_workers": 0})
        trained = {
            part: sum(p.numel() for p in module.parameters() if p.requires_grad)
            for part, module in build_model(cfg).named_children()
        }
        step = first_step(cfg)
    peak = step.gpu_bytes or 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "config": name,
        "image_size": cfg.data.image_size,
        "clips": clips,
        "seconds": round(step.seconds, 1),
        "peak_gib": round(peak / 2**30, 2),
        "trained": {"all": sum(trained.values()), **{k: v for k, v in trained.items() if v}},
    }


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config")
    parser.add_argument("--layout", default="v1m", choices=sorted(LAYOUTS))
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    options = parser.parse_args(argv)
    overrides = config.parse_overrides(options.set)
    print(json.dumps(measure(options.config, options.layout, overrides), indent=1))


if __name__ == "__main__":
    main()
