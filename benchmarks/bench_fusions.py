"""Time and size of every registered fusion block, forward and backward, on the CPU.

python benchmarks/bench_fusions.py
python benchmarks/bench_fusions.py --channels 128 --embedding-size 8 --batch 8
"""

from __future__ import annotations

import argparse
import time
import timeit
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from auralsam2.registry import FUSIONS
from auralsam2.signature import parameters_of


def fastest(repeats: int, function: Callable[[], object]) -> float:
    """Milliseconds of CPU, all threads together, of the fastest of several calls."""
    return 1000 * min(timeit.repeat(function, timer=time.process_time, number=1, repeat=repeats))


def variants() -> list[dict[str, str]]:
    """Every registered block, with both scopes where it has one."""
    nodes = []
    for name in FUSIONS.names():
        scopes = "scope" in parameters_of(FUSIONS.lookup(name)).known
        nodes += (
            [dict(type=name, scope=s) for s in ("clip", "frame")] if scopes else [{"type": name}]
        )
    return nodes


def step(block: nn.Module, visual: Tensor, audio: Tensor) -> None:
    """Forward and backward, into the inputs too, as within the fuser."""
    out = block(visual, audio)
    (out.visual.sum() + out.audio.sum()).backward()


def main(argv: Sequence[str] | None = None) -> None:
    """Print one row a block: parameters, forward and step in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--embedding-size", type=int, default=64, help="E; N = E * E tokens")
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    batch, frames, channels = options.batch, options.frames, options.channels
    visual = torch.randn(batch, frames, options.embedding_size**2, channels, requires_grad=True)
    audio = torch.randn(batch, frames, channels, requires_grad=True)
    print(
        f"{batch} clip(s) of {frames} frames, C = {channels}, E = {options.embedding_size}, "
        f"{options.threads} thread(s), CPU time, fastest of {options.repeats}, one pyramid level\n"
    )
    print("| fusion | scope | parameters | forward, ms | forward + backward, ms |")
    print("|---|---|--:|--:|--:|")
    for node in variants():
        block = FUSIONS.build(node, channels=channels)
        size = sum(p.numel() for p in block.parameters())
        with torch.no_grad():
            forward = fastest(options.repeats, lambda: block(visual, audio))  # noqa: B023
        whole = fastest(options.repeats, lambda: step(block, visual, audio))  # noqa: B023
        scope = node.get("scope", "–")
        print(f"| {node['type']} | {scope} | {size:,} | {forward:.1f} | {whole:.1f} |", flush=True)


if __name__ == "__main__":
    main()
