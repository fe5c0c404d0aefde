"""EEMC, the baseline of Ref-AVS: cues, queries and read-out as its authors released them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from auralsam2.engine.parity.compare import Row, leaves, watched
from auralsam2.engine.parity.fixtures import Expected
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


def check_cues(expected: Expected) -> Iterator[Row]:
    """Prompts of whole clips, and what their three attentions read and say."""
    config, own = expected.facts["config"], expected.numbers
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
    read, said = watched({part: getattr(module, part) for part in ATTENTIONS.values()})
    clips, visual = len(own["audio"]), own["visual_hidden"]
    with torch.no_grad():
        prompts = module(visual.unflatten(0, (clips, -1)), own["audio"], own["text"])
    yield expected.row("prompt", prompts.flatten(0, 1))
    tokens = prompts.shape[2]  # of a frame, of which the first is compared
    for end, of_part in (("in", read), ("out", said)):
        first = {part: values[0] for part, values in of_part.items()}
        yield expected.row(f"A_T.{end}", first["audio_text"].transpose(0, 1))
        yield expected.row(f"V_T.{end}", first["visual_text"].transpose(0, 1))
        yield expected.row(f"mm.{end}.frame0", first["joint"][:tokens].transpose(0, 1))


def _renamed(key: str) -> str:
    part, _, rest = key.partition(".")
    return f"{ATTENTIONS.get(part, part)}.{rest}"


def check_query(expected: Expected) -> Iterator[Row]:
    """Queries behind the attention to prompts, with gradients."""
    weights = expected.weights
    module = QueryAttention(len(weights["out_projection.bias"]), expected.facts["heads"])
    joined = {
        f"attention.in_proj_{kind}": torch.cat([weights[f"{p}_embedding.{kind}"] for p in PARTS])
        for kind in ("weight", "bias")
    }
    module.load_state_dict(joined | {ours: weights[theirs] for theirs, ours in QUERY.items()})
    inputs = leaves(expected.numbers, ("target", "source"))
    output = module(inputs["target"].transpose(0, 1), inputs["source"]).transpose(0, 1)
    yield from expected.probe({"output": output}, inputs)
    yield from expected.norms(_authors(module))


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


def check_read_out(expected: Expected) -> Iterator[Row]:
    """One map of all queries."""
    own, facts = expected.numbers, expected.facts
    sizes = facts["intermediate_size"], facts["target_size"]
    yield expected.row("output", read_out(own["class_logits"], own["mask_logits"], *sizes)[:, None])
