"""EEMC, the baseline of Ref-AVS: cues, queries and read-out as its authors released them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from auralsam2.engine.parity.compare import Row, leaves
from auralsam2.engine.parity.fixtures import Fixtures
from auralsam2.models.methods.eemc_cues import MultimodalCues
from auralsam2.models.methods.eemc_mask2former import QueryAttention, read_out

# The authors' names of our parts.
ATTENTIONS = {"mha_A_T": "audio_text", "mha_V_T": "visual_text", "mha_mm": "joint"}
QUERY = {
    "beta_source_attn": "attention_gate",
    "beta_source_pool": "mean_gate",
    "out_projection.weight": "attention.out_proj.weight",
    "out_projection.bias": "attention.out_proj.bias",
}
PARTS = ("query", "key", "value")


def check_cues(fixtures: Fixtures) -> Iterator[Row]:
    """Prompts of whole clips, and what their three attentions read and say."""
    expected, config = fixtures.expected("refavs_fusion"), fixtures.facts("refavs_fusion")["config"]
    own = expected.numbers
    module = MultimodalCues(
        audio_channels=own["audio"].shape[-1],
        text_channels=own["text"].shape[-1],
        visual_channels=config["dim_v"],
        prompt_channels=config["prompt_channels"],
        width=config["dim_v"],
        hidden_channels=config["hidden"],
        num_heads=config["heads"],
        scramble_visual_tokens=True,
        attend_across_clips=True,
        freeze_attentions=True,
    )
    module.load_state_dict({_renamed(key): value for key, value in expected.weights.items()})
    seen: dict[str, Tensor] = {}
    for part in ATTENTIONS.values():
        getattr(module, part).register_forward_hook(_keep(seen, part))
    clips, visual = len(own["audio"]), own["visual_hidden"]
    with torch.no_grad():
        prompts = module(visual.unflatten(0, (clips, -1)), own["audio"], own["text"])
    yield expected.row("prompt", prompts.flatten(0, 1))
    tokens = prompts.shape[2]  # of a frame, of which the first is compared
    for theirs, ours in (("A_T", "audio_text"), ("V_T", "visual_text")):
        yield from expected.rows(
            {f"{theirs}.{end}": seen[f"{ours}.{end}"].transpose(0, 1) for end in ("in", "out")}
        )
    yield from expected.rows(
        {f"mm.{end}.frame0": seen[f"joint.{end}"][:tokens].transpose(0, 1) for end in ("in", "out")}
    )


def _renamed(key: str) -> str:
    part, _, rest = key.partition(".")
    return f"{ATTENTIONS.get(part, part)}.{rest}"


def _keep(seen: dict[str, Tensor], part: str) -> Any:
    def hook(_: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        seen[f"{part}.in"], seen[f"{part}.out"] = inputs[0], outputs[0]

    return hook


def check_query(fixtures: Fixtures) -> Iterator[Row]:
    """Queries behind the attention to prompts, with gradients."""
    expected, facts = fixtures.expected("refavs_query"), fixtures.facts("refavs_query")
    weights = expected.weights
    module = QueryAttention(len(weights["out_projection.bias"]), facts["heads"])
    joined = {
        f"attention.in_proj_{kind}": torch.cat([weights[f"{p}_embedding.{kind}"] for p in PARTS])
        for kind in ("weight", "bias")
    }
    module.load_state_dict(joined | {ours: weights[theirs] for theirs, ours in QUERY.items()})
    inputs = leaves(expected.numbers, ("target", "source"))
    output = module(inputs["target"].transpose(0, 1), inputs["source"]).transpose(0, 1)
    yield from expected.probe({"output": output}, inputs)
    yield from expected.norms(_authors(module), facts.get("param_grad_l2"))


def _authors(module: QueryAttention) -> dict[str, Tensor]:
    """Parameters under the authors' names, with their gradients."""
    named = dict(module.named_parameters())
    found: dict[str, Tensor] = {theirs: named[ours] for theirs, ours in QUERY.items()}
    for kind in ("weight", "bias"):
        joined = named[f"attention.in_proj_{kind}"]
        assert joined.grad is not None
        for part, value, gradient in zip(PARTS, joined.chunk(3), joined.grad.chunk(3), strict=True):
            leaf = value.detach().clone()
            leaf.grad = gradient
            found[f"{part}_embedding.{kind}"] = leaf
    return found


def check_read_out(fixtures: Fixtures) -> Iterator[Row]:
    """One map of all queries."""
    expected, facts = fixtures.expected("refavs_readout"), fixtures.facts("refavs_readout")
    own = expected.numbers
    sizes = facts["intermediate_size"], facts["target_size"]
    yield expected.row("output", read_out(own["class_logits"], own["mask_logits"], *sizes)[:, None])
