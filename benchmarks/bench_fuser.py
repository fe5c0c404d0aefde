"""Time and peak memory of the fuser beside a plain one of the same weights: forward and backward.

The plain one is written as papers' repositories write it: channels moved for every convolution,
softmax attention spelled out, PyTorch's own layers. Every measure is a process of its own; the
implementations take turns, and CPU seconds are compared.

python benchmarks/bench_fuser.py                                    # real size: minutes, 13 GB
python benchmarks/bench_fuser.py --depths 1 --frames 2 --rounds 3   # one level, one block
python benchmarks/bench_fuser.py --depths 1 1 1 --embedding-size 8 --frames 20 --channels 128 \
    --reduction 2 --mlp-ratio 2 --dropout 0 --steps 20              # mini
python benchmarks/bench_fuser.py --depths 1 --frames 2 --dropout 0 --embedding-size 16 --check
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from versions import told

from auralsam2.models.attention import SpatialReductionAttention, TemporalSelfAttention
from auralsam2.models.fuser import AuralFuser
from auralsam2.models.fusion.tpavi import TwoWayTPAVIFusion
from auralsam2.models.linear import quicken_linear_layers
from auralsam2.models.pyramid import PatchEmbedPyramid
from auralsam2.structures import FusionOutput, VisualPyramid

KINDS = ("plain", "ours", "checkpointed")


class PlainAttention(nn.Module):
    """Multi-head attention with spatially reduced keys, its softmax written out."""

    def __init__(self, channels: int, heads: int, rate: float, reduction: int, side: int) -> None:
        super().__init__()
        self.heads, self.side = heads, side
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)
        self.attn_drop, self.proj_drop = nn.Dropout(rate), nn.Dropout(rate)
        self.reduction = None
        if reduction > 1:
            self.reduction = nn.Conv2d(channels, channels, reduction, reduction)
            self.reduction_norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        batch, length, channels = x.shape
        q = self.q(x).reshape(batch, length, self.heads, -1).permute(0, 2, 1, 3)
        context = x
        if self.reduction is not None:
            maps = x.permute(0, 2, 1).reshape(batch, channels, self.side, self.side)
            maps = self.reduction(maps).reshape(batch, channels, -1)
            context = self.reduction_norm(maps.permute(0, 2, 1))
        kv = self.kv(context).reshape(batch, -1, 2, self.heads, channels // self.heads)
        k, v = kv.permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-2, -1)) * (channels // self.heads) ** -0.5
        attention = self.attn_drop(attention.softmax(dim=-1))
        read = (attention @ v).transpose(1, 2).reshape(batch, length, channels)
        return self.proj_drop(self.proj(read))


class PlainFeedForward(nn.Module):
    """Linear, depth-wise convolution on maps, GELU, linear."""

    def __init__(self, channels: int, hidden: int, rate: float, side: int | None) -> None:
        super().__init__()
        self.side = side
        self.fc1, self.fc2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.act, self.drop = nn.GELU(), nn.Dropout(rate)
        if side:
            self.depthwise = nn.Conv2d(hidden, hidden, 3, 1, 1, groups=hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        x = self.fc1(x)
        if self.side:
            batch, _, hidden = x.shape
            maps = x.transpose(1, 2).view(batch, hidden, self.side, self.side)
            x = self.depthwise(maps).flatten(2).transpose(1, 2)
        return self.drop(self.fc2(self.drop(self.act(x))))


class PlainBlock(nn.Module):
    """Pre-norm block."""

    def __init__(
        self, channels: int, ratio: float, rate: float, reduction: int, side: int | None
    ) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attn = PlainAttention(channels, 4, rate, reduction, side or 0)
        self.mlp = PlainFeedForward(channels, int(channels * ratio), rate, side)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PlainAttentions(nn.Module):
    """Alike blocks, one behind the other, on every frame or on the clip."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(..., L, C) -> (..., L, C)."""
        return self.blocks(x.reshape(-1, *x.shape[-2:])).reshape(x.shape)


class PlainFusion(nn.Module):
    """The published two-way block without tricks, clips whole, batch statistics."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.align = nn.Linear(channels, channels)
        for name in ("visual", "audio"):
            for part in ("query", "key", "value"):
                setattr(self, f"{name}_{part}", nn.Linear(channels, inner))
            setattr(self, f"{name}_out", nn.Linear(inner, channels))
            setattr(self, f"{name}_attention_norm", nn.BatchNorm1d(channels))
            setattr(self, f"{name}_norm", nn.LayerNorm(channels))

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        x, d = visual.flatten(1, 2), self.align(audio)
        weights = self.visual_query(x) @ self.audio_key(d).transpose(1, 2) / d.shape[1]
        heard = self.visual_out(weights @ self.audio_value(d))
        weights = self.audio_query(d) @ self.visual_key(x).transpose(1, 2) / x.shape[1]
        seen = self.audio_out(weights @ self.visual_value(x))
        heard = self.visual_attention_norm(heard.transpose(1, 2)).transpose(1, 2)
        seen = self.audio_attention_norm(seen.transpose(1, 2)).transpose(1, 2)
        return FusionOutput(
            self.visual_norm(x + heard).view(visual.shape), self.audio_norm(d + seen)
        )


def build(kind: str, options: argparse.Namespace) -> AuralFuser:
    """A fuser in training mode, with the weights that all kinds have."""
    channels, side, rate = options.channels, options.embedding_size, options.dropout
    ratio, reduction = options.mlp_ratio, options.reduction
    size = {"channels": channels, "mlp_ratio": ratio, "dropout": rate}

    def fuser(**parts: Any) -> AuralFuser:
        pyramid = PatchEmbedPyramid(channels, side, len(options.depths))
        return AuralFuser(pyramid=pyramid, channels=channels, embedding_size=side, **parts)

    torch.manual_seed(0)
    ours = fuser(
        visual_attentions=[
            SpatialReductionAttention(embedding_size=side, depth=depth, reduction=reduction, **size)
            for depth in options.depths
        ],
        audio_attentions=[TemporalSelfAttention(depth=3, **size) for _ in options.depths],
        fusions=[TwoWayTPAVIFusion(channels) for _ in options.depths],
    )
    if kind == "checkpointed":
        ours.checkpoint()
    if kind != "plain":
        quicken_linear_layers(ours)
        return ours.train()

    def blocks(depth: int, reduction: int, side: int | None) -> PlainAttentions:
        return PlainAttentions(
            [PlainBlock(channels, ratio, rate, reduction, side) for _ in range(depth)]
        )

    plain = fuser(
        visual_attentions=[blocks(depth, reduction, side) for depth in options.depths],
        audio_attentions=[blocks(3, 1, None) for _ in options.depths],
        fusions=[PlainFusion(channels) for _ in options.depths],
    )
    plain.smooth = nn.ModuleList(nn.Linear(channels, channels) for _ in options.depths[1:])
    plain.load_state_dict(ours.state_dict())
    return plain.train()


def inputs(options: argparse.Namespace) -> tuple[VisualPyramid, Tensor]:
    """A clip: maps of the frozen neck, which need no gradient, and audio tokens."""
    torch.manual_seed(1)
    levels = tuple(
        torch.randn(1, options.frames, options.channels, side, side)
        for side in (4 * options.embedding_size, 2 * options.embedding_size, options.embedding_size)
    )[-len(options.depths) :]
    return VisualPyramid(levels), torch.randn(1, options.frames, options.channels)


def loss(fuser: AuralFuser, pyramid: VisualPyramid, audio: Tensor) -> Tensor:
    """Of every output, so that all parameters get a gradient."""
    out = fuser(pyramid, audio)
    return torch.stack([x.square().mean() for x in (*out.visual, *out.audio)]).sum()


def measure(kind: str, options: argparse.Namespace) -> dict[str, float]:
    """CPU seconds of forward and backward, medians over the steps, and the process's peak."""
    torch.set_num_threads(options.threads)
    fuser, (pyramid, audio) = build(kind, options), inputs(options)
    times = []
    for _ in range(options.steps):
        fuser.zero_grad(set_to_none=True)
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bf16"):
            value = loss(fuser, pyramid, audio)
        middle = time.process_time()
        value.backward()
        times.append((middle - start, time.process_time() - middle))
        del value
    forward, backward = (statistics.median(t) for t in zip(*times, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"forward": forward, "backward": backward, "peak": peak}


def check(options: argparse.Namespace) -> None:
    """Compare gradients in float64, and what is lost in float32 by ours and by the plain one.

    Single numbers say little: a bias in front of batch statistics has no gradient but rounding,
    and queries of the fusion, whose gradient is a hundred thousandth of the largest, lose a tenth
    of it in float32 either way.
    """

    def gradients(kind: str, dtype: torch.dtype) -> dict[str, Tensor]:
        fuser, (pyramid, audio) = build(kind, options).to(dtype), inputs(options)
        levels = tuple(level.to(dtype) for level in pyramid.levels)
        loss(fuser, VisualPyramid(levels), audio.to(dtype)).backward()
        return {name: p.grad.double() for name, p in fuser.named_parameters() if p.grad is not None}

    exact = gradients("plain", torch.float64)
    single = {kind: gradients(kind, torch.float32) for kind in ("plain", "ours")}
    largest = max(float(gradient.norm()) for gradient in exact.values())

    def errors(found: dict[str, Tensor]) -> dict[str, float]:
        return {name: float((found[name] - exact[name]).norm()) / largest for name in exact}

    gap = max(errors(gradients("ours", torch.float64)).values())
    plain, ours = (errors(single[kind]) for kind in ("plain", "ours"))
    more = {name: ours[name] / max(plain[name], 1e-7) for name in exact}
    name = max(more, key=lambda name: more[name])
    print(
        f"of the largest gradient: in float64 they differ by {gap:.1e}; float32 loses "
        f"{max(plain.values()):.1e} in the plain one, {max(ours.values()):.1e} in ours; "
        f"at one parameter ours loses at most {more[name]:.1f} times as much ({name})"
    )
    if gap > 1e-10 or more[name] > 10:
        raise SystemExit("the numbers of both are not the same")


def main(argv: Sequence[str] | None = None) -> None:
    """Print a row for each implementation, and its ratios to the plain one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depths", type=int, nargs="+", default=[3, 6, 12])
    parser.add_argument("--embedding-size", type=int, default=64, help="E; N = E * E tokens")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--reduction", type=int, default=4)
    parser.add_argument("--mlp-ratio", type=float, default=4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1, help="of each process; medians")
    parser.add_argument("--rounds", type=int, default=1, help="processes of each kind; medians")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--check", action="store_true", help="compare numbers instead of times")
    parser.add_argument("--child", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        print(json.dumps(measure(options.child, options)))
        return
    if options.check:
        check(options)
        return
    given = sys.argv[1:] if argv is None else list(argv)
    measured: dict[str, list[dict[str, float]]] = {kind: [] for kind in options.kinds}
    for _ in range(options.rounds):
        for kind in options.kinds:
            child = (sys.executable, os.path.abspath(__file__), *given, "--child", kind)
            measured[kind].append(told(*child))
    threads, pages = options.threads, os.environ.get("THP_MEM_ALLOC_ENABLE", "0")
    print(f"{options.dtype}, {threads} thread(s), THP_MEM_ALLOC_ENABLE={pages}, CPU seconds\n")
    print("| fuser | forward | backward | both | peak, GB | speed | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    rows = {}
    for kind in options.kinds:
        row = {k: statistics.median(m[k] for m in measured[kind]) for k in measured[kind][0]}
        row["both"] = row["forward"] + row["backward"]
        rows[kind] = row
        first = rows[options.kinds[0]]
        print(
            f"| {kind} | {row['forward']:.2f} | {row['backward']:.2f} | {row['both']:.2f} | "
            f"{row['peak']:.2f} | {first['both'] / row['both']:.2f} | "
            f"{row['peak'] / first['peak']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
