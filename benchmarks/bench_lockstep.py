"""The nine cells of the fusion grid, one by one in a process against side by side in it.

    python benchmarks/bench_lockstep.py flops
    python benchmarks/bench_lockstep.py step tiny --image-size 512
    python benchmarks/bench_lockstep.py run auralsam2/mini_v1m --clips 24 --rounds 2
    python benchmarks/bench_lockstep.py run auralsam2/hiera_tiny_v1m --image-size 512 --clips 2

``flops`` counts, without computing, what one training step and one clip of validation cost at
1024 px, and what is left of it for a cell of nine that share the encoder. ``step`` times one cell
with and without the pyramid of its clip, in turn. ``run`` trains and prints seconds of the CPU, of
both ways in turn, and whether all records are equal; nine cells of hiera_tiny want 12 GB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

CELLS = 9
SIZES = ("tiny", "small", "base_plus", "large")
RANDOM_WEIGHTS = {
    "model.backbone.checkpoint": None,
    "model.audio_encoder.weights": None,
    "model.backbone.random_weights": True,
    "model.audio_encoder.random_weights": True,
}


def main() -> None:
    """Count or run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = parser.add_subparsers(dest="way", required=True)
    counts = ways.add_parser("flops")
    counts.add_argument("--image-size", type=int, default=1024)
    counts.add_argument("--sizes", nargs="+", default=SIZES)
    steps = ways.add_parser("step")
    steps.add_argument("size", choices=SIZES)
    steps.add_argument("--image-size", type=int, default=512)
    steps.add_argument("--rounds", type=int, default=3)
    runs = ways.add_parser("run")
    runs.add_argument("config")
    runs.add_argument("--clips", type=int, default=2, help="in training; half as many in val")
    runs.add_argument("--image-size", type=int)
    runs.add_argument("--epochs", type=int, default=1)
    runs.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.way == "flops":
        for size in options.sizes:
            print(count(size, options.image_size), flush=True)
    elif options.way == "step":
        print(timed(options.size, options.image_size, options.rounds))
    else:
        run(options)


def _model(size: str, side: int) -> Any:
    from auralsam2 import config
    from auralsam2.engine.evaluate import build_model
    from auralsam2.registry import load_all

    load_all()
    cfg = config.load(f"auralsam2/hiera_{size}_v1m", {"data.image_size": side, **RANDOM_WEIGHTS})
    return build_model(cfg).train()


def _factor(whole: float, encode: float) -> str:
    return f"{whole / (whole - encode + encode / CELLS):.2f} times"


def count(size: str, side: int) -> str:
    """A row: teraFLOPs of a clip of five frames by part, and the factor of lockstep."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from auralsam2.engine.benchmark.meters import operation_counter

    model = _model(size, side)

    def flops(part: Any) -> tuple[float, Any]:
        with operation_counter() as counter:
            value = part()
        return counter.get_total_flops() / 1e12, value

    with FakeTensorMode(allow_non_fake_inputs=True):
        frames = torch.zeros(1, 5, 3, side, side, dtype=torch.uint8)
        sound = torch.randn(1, 5, 2, 96, 64)
        encode, pyramid = flops(lambda: model.encode(frames))
        listen, fused = flops(lambda: model.listen(pyramid, sound))
        prompts = model.prompts(fused)
        track, prediction = flops(
            lambda: model.tracker(model.backbone.network, pyramid, prompts, model.injection)
        )
        answer = [part for part in prediction if part is not None and part.requires_grad]
        back, _ = flops(lambda: sum(part.sum() for part in answer).backward())
    step, clip = encode + listen + track + back, encode + listen + track
    parts = f"encode {encode:.2f}, fuser {listen:.2f}, tracker {track:.2f}, back {back:.2f} TFLOP"
    share = f"{encode / step:.0%} of a step is encoding"
    return f"{size}: {parts}; {share}: {_factor(step, encode)}, val {_factor(clip, encode)}"


def timed(size: str, side: int, rounds: int) -> str:
    """CPU seconds of a step and of a clip of val, encoded and with the pyramid there, in turn."""
    import statistics

    import torch

    from auralsam2.models.feature_cache import LastAnswer

    torch.manual_seed(0)
    model, encoded = _model(size, side), LastAnswer()
    masks = torch.zeros(1, 5, side, side, dtype=torch.uint8)
    masks[..., side // 4 : side // 2, side // 4 : side // 2] = 1
    batch = dict(
        frames=torch.randint(256, (1, 5, 3, side, side), dtype=torch.uint8),
        log_mel=torch.randn(1, 5, 2, 96, 64),
        masks=masks,
        native_masks=[masks[0]],
        supervised=torch.ones(1, 5, dtype=torch.bool),
        clip=["clip"],
    )
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, 1e-4)

    def step() -> None:
        losses = model.train()(mode="loss", **batch)
        sum(value for key, value in losses.items() if "loss" in key).backward()
        optimizer.step()
        optimizer.zero_grad()

    def val() -> None:
        with torch.no_grad():
            model.eval()(mode="predict", **batch)

    seconds: dict[tuple[str, bool], list[float]] = {}
    for number in range(rounds + 1):
        for what in (step, val):
            for given in (False, True):
                model.feature_cache = encoded if given else None
                began = time.process_time()
                what()
                if number:  # the first round warms up, and fills the cache
                    taken = time.process_time() - began
                    seconds.setdefault((what.__name__, given), []).append(taken)
    said = []
    for name in ("step", "val"):
        whole, rest = (statistics.median(seconds[name, given]) for given in (False, True))
        said.append(f"{name} {whole:.1f} s, of which encoding {whole - rest:.1f} s: ")
        said[-1] += _factor(whole, whole - rest)
    return f"{size} at {side} px: " + "; ".join(said)


def run(options: argparse.Namespace) -> None:
    """Train all cells one by one and side by side, in turn; CPU seconds and their ratio."""
    from ablations.executors.local import InlineExecutor
    from ablations.grids.file import load_grid
    from ablations.grids.plan import make_plan
    from ablations.options import Options
    from ablations.run_grid import run_grid
    from auralsam2.data.synthetic.writer import Plan, write_clips
    from auralsam2.engine import run_record
    from auralsam2.models.feature_cache import BACKBONES

    grid, out = load_grid("fusion", options.config), Path(tempfile.mkdtemp())
    write_clips(out / "clips", Plan("v1m", (options.clips, (options.clips + 1) // 2, 1), seed=7))
    overrides = {
        "data.root": str(out / "clips"),
        "data.num_workers": 0,
        "data.test": dict(test=dict(type="AVSBenchDataset", subset="v1m", split="test")),
        "evaluation.counterfactuals": [],
        "evaluation.measure_speed": False,
        "optim.epochs": options.epochs,
        "optim.amp": None,
        "runtime.tensorboard": False,
        **({"data.image_size": options.image_size} if options.image_size else {}),
        **({} if "mini" in options.config else RANDOM_WEIGHTS),
    }
    seconds: dict[str, list[float]] = {"one by one": [], "side by side": []}
    records: list[Any] = []
    for number in range(2 * options.rounds):
        way = list(seconds)[(number + number // 2) % 2]  # A B B A
        plan = make_plan(grid, out=out / str(number), seeds=[0], overrides=overrides)
        BACKBONES._kept.clear()
        BACKBONES._used.clear()
        began = time.process_time()
        together = 0 if way == "side by side" else None
        result = run_grid(grid, plan, InlineExecutor(), Options(lockstep=together))
        seconds[way].append(time.process_time() - began)
        assert len(result.finished) == CELLS, result.lines(out)
        found = [run_record.read(r.run_dir) for r in sorted(plan.runs, key=lambda r: r.label)]
        records.append([(r.curve, r.metrics, r.per_clip) for r in found])
        print(f"{way}: {seconds[way][-1]:.1f} s of the CPU", flush=True)
    alone, together = (sorted(taken)[len(taken) // 2] for taken in seconds.values())
    equal = all(found == records[0] for found in records)
    print(f"{alone:.1f} s / {together:.1f} s = {alone / together:.2f}; records equal: {equal}")


if __name__ == "__main__":
    main()
