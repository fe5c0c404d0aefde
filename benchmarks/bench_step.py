"""Time of a training step by its parts, of two versions in turn, in the training's own loop.

python benchmarks/bench_step.py
python benchmarks/bench_step.py --before ../before/.venv/bin/python --out step.json

Each version is a process that runs the real training (loader, collate, preprocessing, model,
optimizer, hooks, log) and waits between its steps until it is its turn, so that both see the same
load of the machine: blocks of steps alternate, A B A B. Losses of the same steps are compared. To
measure another version, give its interpreter; this file is run by both. `rest` is what the
loop does outside of the parts above it. CPU and wall milliseconds are medians over the measured
steps; data are clips made for the purpose, whose frozen features are cached in the first epoch,
which is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from versions import Turns, call

STEPS_AN_EPOCH = 5
MODEL_PARTS = {
    "encode": "encode",
    "listen": "listen",
    "prompts": "prompts",
    "track": "tracker",
    "losses": "losses_of",
}


class Clock:
    """Adds up the seconds of parts between two readings."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts as a part's."""

        def call(*args: Any, **kwargs: Any) -> Any:
            wall, cpu = time.perf_counter(), time.process_time()
            result = function(*args, **kwargs)
            self.add(name, time.perf_counter() - wall, time.process_time() - cpu)
            return result

        return call

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count seconds of a part."""
        self.wall[name] = self.wall.get(name, 0.0) + wall
        self.cpu[name] = self.cpu.get(name, 0.0) + cpu

    def read(self) -> dict[str, dict[str, float]]:
        """Seconds since the last reading."""
        found = {"wall": self.wall, "cpu": self.cpu}
        self.wall, self.cpu = {}, {}
        return found


def work(settings: dict[str, Any]) -> None:
    """Train, a block of steps whenever a line comes in; tell the times and losses of each step."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import auralsam2.mmengine_fixes  # noqa: F401

    # isort: split

    import torch
    from mmengine.hooks import Hook

    from auralsam2 import config
    from auralsam2.devices import set_up_device
    from auralsam2.engine.runner import build_runner
    from auralsam2.engine.splits import run_datasets
    from auralsam2.registry import load_all

    torch.set_num_threads(1)
    cfg = config.load(settings["config"], config.parse_overrides(settings["changes"]))
    device = set_up_device(cfg.runtime)
    load_all()
    clock = Clock()

    class Turn(Hook):
        """Wait for the turn between steps, behind all other hooks."""

        priority = "LOWEST"
        left = 0

        def _start(self) -> None:
            if not self.left:
                line = sys.stdin.readline()
                if not line.strip():
                    os._exit(0)
                self.left = int(line)
            self.left -= 1
            clock.read()
            self.begun = time.perf_counter(), time.process_time()

        def before_train(self, runner: Any) -> None:
            model, optimizer = runner.model, runner.optim_wrapper
            for name, attribute in MODEL_PARTS.items():
                if callable(getattr(model, attribute, None)):
                    owner, of = model, attribute
                    if isinstance(getattr(model, attribute), torch.nn.Module):
                        owner, of = getattr(model, attribute), "forward"
                    setattr(owner, of, clock.timed(name, getattr(owner, of)))
            pre = model.data_preprocessor
            pre.forward = clock.timed("transfer", pre.forward)
            for name in ("backward", "step", "zero_grad"):
                part = "backward" if name == "backward" else "optimizer"
                setattr(optimizer, name, clock.timed(part, getattr(optimizer, name)))
            self._start()

        def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
            wall, cpu = self.begun
            clock.add("load", time.perf_counter() - wall, time.process_time() - cpu)

        def after_train_iter(
            self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
        ) -> None:
            wall, cpu = self.begun
            clock.add("step", time.perf_counter() - wall, time.process_time() - cpu)
            losses = {k: float(v.detach()) for k, v in outputs.items()}
            print(json.dumps({"seconds": clock.read(), "losses": losses}), file=channel, flush=True)
            self._start()

    with tempfile.TemporaryDirectory() as folder:
        hooks = [dict(type=Turn)]
        run_dir = Path(folder) / "run"
        run_dir.mkdir()
        build_runner(cfg, device, run_dir, run_datasets(cfg), hooks).train()


class Version:
    """A process that trains with the sources of one interpreter."""

    def __init__(self, interpreter: str, settings: dict[str, Any]) -> None:
        interpreter, file = os.path.abspath(interpreter), str(Path(__file__).resolve())
        self.process = Turns(interpreter, file, "--work", json.dumps(settings))
        self.steps: list[dict[str, Any]] = []

    def run(self, count: int) -> None:
        """Take so many steps and keep what they told."""
        self.steps += self.process.ask(count, count)

    def medians(self, kind: str, skipped: int) -> dict[str, float]:
        """Milliseconds of every part, median over the steps behind the first ones."""
        measured = [dict(step["seconds"][kind]) for step in self.steps[skipped:]]
        for step in measured:
            step["rest"] = 2 * step["step"] - sum(step.values())
        names = sorted({name for step in measured for name in step})
        return {n: 1000 * statistics.median(s.get(n, 0.0) for s in measured) for n in names}


def show(versions: dict[str, Version], skipped: int) -> dict[str, Any]:
    """Print the table; its numbers."""
    kinds = {
        f"{kind}, {name}": version.medians(kind, skipped)
        for kind in ("cpu", "wall")
        for name, version in versions.items()
    }
    order = ("load", "transfer", *MODEL_PARTS, "backward", "optimizer", "rest", "step")
    print("| part | " + " | ".join(f"{kind}, ms" for kind in kinds) + " |")
    print("|---|" + "--:|" * len(kinds))
    for part in order:
        cells = [f"{numbers.get(part, 0.0):.1f}" for numbers in kinds.values()]
        print(f"| {part} | " + " | ".join(cells) + " |")
    if len(versions) == 2:
        for kind in ("cpu", "wall"):
            ratio = kinds[f"{kind}, before"]["step"] / kinds[f"{kind}, now"]["step"]
            print(f"{kind}: {ratio:.2f} times the speed")
        gaps = [
            abs(a["losses"][key] - b["losses"][key])
            for a, b in zip(versions["before"].steps[:20], versions["now"].steps[:20], strict=True)
            for key in a["losses"]
        ]
        print(f"losses of the first 20 steps differ by at most {max(gaps):.2e}")
    return kinds


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print; also write JSON where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="auralsam2/mini_v1m")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--before", help="interpreter of another version")
    parser.add_argument("--steps", type=int, default=40, help="behind the first epoch")
    parser.add_argument("--block", type=int, default=5, help="steps of a turn")
    parser.add_argument("--set", nargs="*", default=[], help="changes of the config")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--work", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work is not None:
        return work(options.work)
    os.environ["OMP_NUM_THREADS"] = "1"
    interpreters = {"before": options.before} if options.before else {}
    interpreters["now"] = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        clips = f"{STEPS_AN_EPOCH * options.batch}/1/12"
        how = ("--layout", "v1m", "--split", clips, "--seed", "7")
        call(sys.executable, "make-synthetic", str(data), *how)
        changes = [f"data.root={data}", f"data.batch_size={options.batch}"]
        changes += ["optim.epochs=1000", "evaluation.every=1000", "runtime.checkpoint_every=1000"]
        changes += ["runtime.num_threads=1", *options.set]
        settings = dict(config=options.config, changes=changes)
        versions = {name: Version(path, settings) for name, path in interpreters.items()}
        for version in versions.values():
            version.run(STEPS_AN_EPOCH)
        for _ in range(options.steps // options.block):
            for version in versions.values():
                version.run(options.block)
        for version in versions.values():
            version.process.end()
    numbers = show(versions, STEPS_AN_EPOCH)
    if options.out:
        steps = {name: [s["losses"] for s in v.steps] for name, v in versions.items()}
        options.out.write_text(json.dumps({"milliseconds": numbers, "losses": steps}, indent=1))


if __name__ == "__main__":
    main()
