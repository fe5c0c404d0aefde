"""Time the F-score's histogram against a loop over its 255 thresholds, in one run, by CPU time.

python benchmarks/bench_metrics.py --frames 5 --size 224
"""

from __future__ import annotations

import argparse

import torch
from bench_fusions import fastest
from torch import Tensor

from auralsam2.metrics.f_score import sum_of_curves
from auralsam2.metrics.jaccard import jaccard


def loop_over_thresholds(mask_logits: Tensor, masks: Tensor) -> Tensor:
    """F-score curve (255,) from one comparison of all pixels a threshold."""
    curves = []
    for logits, mask in zip(mask_logits, masks):
        if not mask.any():
            continue
        probability, truth = logits.sigmoid(), mask.float()
        values = []
        for threshold in torch.linspace(0, 1, 255):
            predicted = (probability >= threshold).float()
            correct = (predicted * truth).sum()
            precision = correct / (predicted.sum() + 1e-20)
            recall = correct / (truth.sum() + 1e-20)
            values.append(1.3 * precision * recall / (0.3 * precision + recall))
        curves.append(torch.stack(values).nan_to_num(nan=0.0))
    return torch.stack(curves).mean(dim=0)


def main(argv: list[str] | None = None) -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(0)
    shape = (options.frames, options.size, options.size)
    mask_logits = 3 * torch.randn(shape, generator=generator)
    masks = (torch.rand(shape, generator=generator) > 0.7).to(torch.uint8)

    difference = loop_over_thresholds(mask_logits, masks) - sum_of_curves(mask_logits, masks).mean
    ways = (
        lambda: loop_over_thresholds(mask_logits, masks),
        lambda: sum_of_curves(mask_logits, masks).mean,
        lambda: jaccard(mask_logits, masks),
    )
    loop, histogram, index = (fastest(options.repeats, way) for way in ways)
    print(f"{options.frames} frames of {options.size}x{options.size}, {options.threads} thread(s)")
    print(f"F, loop over 255 thresholds {loop:10.2f} ms")
    print(f"F, histogram                {histogram:10.2f} ms   {loop / histogram:.0f}x faster")
    print(f"largest difference          {float(difference.abs().max()):10.1e}")
    print(f"J                           {index:10.2f} ms")


if __name__ == "__main__":
    main()
