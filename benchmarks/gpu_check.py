"""What is to be seen on one GPU, in six minutes: tests, parts of a step, prompting, grid and sweep.

    make gpu-check
    python benchmarks/gpu_check.py --out work_dirs/gpu_check
    python benchmarks/gpu_check.py --device cpu --small       # the same script, at sizes of a CPU

Data are synthetic and weights random; nothing is downloaded. Every part has seconds of its own, and
what it has found stays where it runs out of them or fails: logs, JSON and pictures lie in the
folder, with ``summary.json`` and ``summary.md`` on top. The exit status is 0 where all parts ended
well, 1 where one did not, and 2 where there is no such device.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from auralsam2.command_line import Parser

ROOT = Path(__file__).resolve().parents[1]
TOTAL = 360.0
RANDOM_WEIGHTS = {
    "model.backbone.checkpoint": "None",
    "model.backbone.random_weights": "True",
    "model.audio_encoder.weights": "None",
    "model.audio_encoder.random_weights": "True",
}


class Step(NamedTuple):
    """One command of the check."""

    name: str
    seconds: float  # that it may take
    command: Sequence[str]
    read: Callable[[Any], str] | None = None  # its JSON to what the table says; else the last line
    needs: str = ""  # a step that must have ended well


class Result(NamedTuple):
    """How a step ended."""

    name: str
    how: str  # done, failed, out of time, left out
    seconds: float
    says: str


def main() -> int:
    """Run all steps within the time there is, and say how they ended."""
    options = _options()
    problem = _no_device(options.device)
    if problem:
        print(f"gpu-check: {problem}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ["AURALSAM2_TEST_DEVICE"] = options.device
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads do not fight for cores
    steps, results = _steps(options), []
    for step in steps:  # what an earlier check has left is not gone on with
        shutil.rmtree(_file(options.out, step.name), ignore_errors=True)
    end = time.monotonic() + options.minutes * 60
    for step in steps:
        result = _run(step, results, end, options.out)
        results.append(result)
        print(
            f"{step.name:<16} {result.how:<12} {result.seconds:6.1f} s  {result.says}", flush=True
        )
        _write(results, options)
    bad = [r for r in results if r.how != "done"]
    print(f"\n{len(results) - len(bad)} of {len(results)} steps done; all is in {options.out}")
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("--out", type=Path, default=Path("work_dirs/gpu_check"), help="folder (%(default)s)")
    add("--device", default="cuda", help="cuda, cuda:N or cpu (%(default)s)")
    add("--small", action="store_true", help="sam2-mini at 64 px, for a CPU")
    add("--minutes", type=float, default=TOTAL / 60, help="for all of it (%(default)s)")
    add("--only", nargs="+", default=[], metavar="STEP", help="steps whose names begin so")
    return parser.parse_args()


def _no_device(name: str) -> str:
    """Why nothing can be run on a device; empty where it can."""
    if name == "cpu":
        return ""
    import torch

    if not torch.cuda.is_available():
        return (
            "torch sees no CUDA device here, nothing was run (look at nvidia-smi and "
            "CUDA_VISIBLE_DEVICES; --device cpu --small tries the script itself)"
        )
    index = int(name.partition(":")[2] or 0)
    count = torch.cuda.device_count()
    return "" if index < count else f"got --device {name}, but torch sees {count} CUDA devices"


def _steps(options: argparse.Namespace) -> list[Step]:
    """What matters most goes first, what takes longest to say the least goes last."""
    *plain, compiled = _benchmarks(options)
    all_steps = [_tests(options), *plain, _prompting(options), *_lockstep(options)]
    all_steps += [*_runs(options), compiled]
    chosen = tuple(options.only) or ("",)
    return [step for step in all_steps if step.name.startswith(chosen)]


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "auralsam2_tools", *map(str, words)]


def _set(settings: Mapping[str, object]) -> list[str]:
    return ["--set", *(f"{key}={value}" for key, value in settings.items())]


def _file(out: Path, step: str, suffix: str = "") -> Path:
    return out / (step.replace(" ", "_") + suffix)


def _tests(options: argparse.Namespace) -> Step:
    """The tests marked gpu, whose small operations leave a GPU idle: in several processes.

    On a CPU they compare it with itself.
    """
    workers = max(1, min(4, (os.cpu_count() or 1) // 2))
    command = [sys.executable, "-m", "pytest", "tests/gpu/test_gpu.py", "-q", "-m", "gpu"]
    command += ["-n", str(workers), "-p", "no:cacheprovider"]
    command += [f"--junitxml={options.out.resolve() / 'tests.xml'}"]
    return Step("tests", 240 if options.small else 110, command)


def _benchmarks(options: argparse.Namespace) -> list[Step]:
    """Parts of a step of the published model at 1024 px: in the precisions, and compiled."""
    bf16, fp32 = {"optim.amp": "bfloat16"}, {"optim.amp": "None"}
    compiled = {"runtime.compile": "True"}
    ways = {"bf16": bf16, "fp32": fp32, "bf16 compiled": bf16 | compiled}
    if options.device == "cpu":  # automatic precision is a GPU's
        ways = {"fp32": fp32, "fp32 compiled": fp32 | compiled}
    steps = []
    for way, settings in ways.items():
        command = _benchmark(options, f"step {way}", "--synthetic", "--warmup", "2")
        command += _set({"data.batch_size": 1, "data.num_workers": 0, **settings})
        # Generating and building the code takes most of what the last one needs.
        seconds = 150 if way.endswith("compiled") else 45
        steps.append(Step(f"step {way}", seconds, command, _benchmark_line))
    return steps


def _prompting(options: argparse.Namespace) -> Step:
    """Clicks with and without sound, and beside a method that has the frames encoded twice."""
    command = _benchmark(options, "prompting", "--prompting", "--warmup", "1")
    return Step("prompting", 60, command, _prompting_line)


def _benchmark(options: argparse.Namespace, name: str, *how: str) -> list[str]:
    config = "auralsam2/mini_v1m" if options.small else "auralsam2/published/v1m"
    files = ("--json", _file(options.out, name, ".json"))
    files += ("--figure", _file(options.out, name, ".png"))
    command = _command("benchmark", config, *how, "--random-weights", "--steps", 3, *files)
    return command + _set({"runtime.device": options.device, **_size(options)})


def _size(options: argparse.Namespace) -> dict[str, object]:
    return {"data.image_size": 64} if options.small else {}


def _lockstep(options: argparse.Namespace) -> list[Step]:
    """Cells of the fusion grid one by one and side by side, on clips that are encoded anew."""
    base, settings = "auralsam2/mini_v1m", {**_on(options), "model.feature_cache_mb": 0}
    if not options.small:
        base = "auralsam2/hiera_tiny_v1m"
        settings |= {"data.image_size": 512, **RANDOM_WEIGHTS}
    steps = [_data(options)]
    for name, way in (("cells alone", ["--jobs", "0"]), ("cells together", ["--lockstep"])):
        command = _command("run-grid", "fusion", "--base", base, *way, "--only", "seed=0")
        command += ["--executor", "inline", "--out", str(_file(options.out, name))]
        steps.append(Step(name, 75, command + _set(settings), needs="data"))
    return steps


def _data(options: argparse.Namespace) -> Step:
    """Clips for runs."""
    split, side = ("4/2/4", 64) if options.small else ("16/4/4", 224)
    words = ("make-synthetic", options.out / "data", "--layout", "v1m")
    return Step("data", 20, _command(*words, "--split", split, "--size", side))


def _on(options: argparse.Namespace) -> dict[str, object]:
    """Settings of a short run."""
    return {
        "data.root": options.out.resolve() / "data",
        "data.batch_size": 2,
        "data.num_workers": 0,
        "runtime.device": options.device,
        "runtime.tensorboard": False,
        "optim.epochs": 1,
        "evaluation.counterfactuals": [],
        **_size(options),
    }


def _runs(options: argparse.Namespace) -> list[Step]:
    """The demo's grid and a sweep, four runs at once on the device."""
    grid, sweep = options.out / "grid", options.out / "sweep"
    at_once = ("--jobs", "4", "--executor", "local", *_set(_on(options)))
    run_sweep = ("run-sweep", "size_mini", "--out", sweep, "--trials", "4")
    return [
        Step("grid", 70, _command("run-grid", "demo", "--out", grid, *at_once), needs="data"),
        Step("grid tables", 15, _command("make-tables", grid), needs="grid"),
        Step("grid figures", 20, _command("make-figures", grid), needs="grid"),
        Step("sweep", 50, _command(*run_sweep, *at_once), needs="data"),
    ]


def _run(step: Step, before: Sequence[Result], end: float, out: Path) -> Result:
    """Run a step and end it, with all its processes, where its time is over."""
    ended = {result.name: result.how for result in before}
    if step.needs and ended.get(step.needs, "done") != "done":
        return Result(step.name, "left out", 0.0, f"needs {step.needs}")
    allowed = min(step.seconds, end - time.monotonic())
    if allowed < 5:
        return Result(step.name, "left out", 0.0, "no time is left")
    log, began, how = _file(out, step.name, ".log"), time.monotonic(), "done"
    with log.open("w") as file:
        process = subprocess.Popen(
            step.command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            how = "failed" if process.wait(allowed) else "done"
        except subprocess.TimeoutExpired:
            how = "out of time"
        finally:
            _end(process)
    if how == "done" and step.read is not None:
        says = step.read(json.loads(_file(out, step.name, ".json").read_text()))
    else:
        says = _last_line(log.read_text(errors="replace"))
    return Result(step.name, how, time.monotonic() - began, says)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the processes of a step end, and end those that do not."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
            process.wait(5.0)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _last_line(printed: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    lines = [line.strip(" =│╵╰─╯") for line in plain.splitlines()]
    return next((line for line in reversed(lines) if line), "")[:160]


def _benchmark_line(found: Any) -> str:
    """Milliseconds and memory of a training step and of an evaluated clip."""
    (measured,) = found["measured"]
    (report,) = measured["values"].values()
    said = []
    for reading in (report["train"], report["evaluation"]):
        if reading is not None:
            milliseconds = reading["plain"]["median"] * 1e3
            peak = reading["peak_bytes"] / 2**30
            said.append(f"{reading['name']} {milliseconds:.0f} ms, {peak:.2f} GiB")
    return "; ".join(said)


def _prompting_line(found: Any) -> str:
    """Frames a second of a clip that is new, and of its answers behind another click."""
    found, said = found["prompting"], []
    counts = {"clip": found["num_frames"], "rest": found["again"]}
    for name, way in found["ways"].items():
        clip, rest = (n / way["seconds"][event]["median"] for event, n in counts.items())
        said.append(f"{name} {clip:.1f} and again {rest:.1f}")
    return "frames/s: " + ", ".join(said)


def _write(results: Sequence[Result], options: argparse.Namespace) -> None:
    """Leave what is known so far."""
    conditions: dict[str, Any] = {"device": options.device, "small": options.small}
    if options.device != "cpu":
        import torch

        conditions |= {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
    plain = {"conditions": conditions, "steps": [result._asdict() for result in results]}
    (options.out / "summary.json").write_text(json.dumps(plain, indent=2))
    rows = [f"| {r.name} | {r.how} | {r.seconds:.0f} | {r.says} |" for r in results]
    table = ["| step | how it ended | s | what it says |", "|---|---|---:|---|", *rows]
    (options.out / "summary.md").write_text("\n".join(table) + "\n")


if __name__ == "__main__":
    sys.exit(main())
