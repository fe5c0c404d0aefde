"""Every switch of the model is wired: turning it changes what it should change and nothing else."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from auralsam2.registry import REGISTRIES
from auralsam2.signature import parameters_of

ALL = frozenset({"answers", "losses", "gradients"})
TRAINING = frozenset({"losses", "gradients"})
ANSWERS = frozenset({"answers"})
NOTHING: frozenset[str] = frozenset()


class Switch(NamedTuple):
    """``path`` gets ``value`` where the other model has the base's (with ``context`` in both)."""

    path: str
    value: Any
    changes: frozenset[str] = ALL
    context: Mapping[str, Any] = {}


class Letters(nn.Module):
    """A text encoder of two numbers a letter."""

    out_channels = 2

    def forward(self, text: list[str]) -> Tensor:
        return torch.tensor([[[ord(c) / 100, 1.0] for c in t[:3].ljust(3)] for t in text])


APPEND = {"injection.placement": "append"}
RELEASED = {"type": "ReleasedAuralSAM2"}
TWO_LEVELS = {"pyramid.num_levels": 2}
MEMORY = {"tracker.use_memory": True}

SWITCHES = [
    Switch("pyramid.num_levels", 2),
    Switch("pyramid.num_levels", 1),
    Switch("visual_depths", (0, 0, 0)),
    Switch("visual_depths", (0, 1, 1)),
    Switch("audio_depth", 0),
    Switch("constant_audio_position", True, context=RELEASED),
    Switch("join_clips", True, context=RELEASED),
    Switch("text_encoder", dict(type=Letters)),
    Switch("sparse_prompt", None),
    Switch("dense_prompt", None),
    Switch("sparse_prompt.scale_init", 0.5),
    Switch("dense_prompt.scale_init", 0.5),
    Switch("injection.tokens", ("iou",)),
    Switch("injection.tokens", ("mask", "iou")),
    Switch("injection.tokens", ("mask", "iou", "object")),
    Switch("injection.sites", ("block1",)),
    Switch("injection.sites", ("block2",)),
    Switch("injection.sites", ("final",)),
    Switch("injection.order", "fine_to_coarse"),
    Switch("injection.repeat_last", True, context=TWO_LEVELS),
    Switch("injection.repeat_last", True, NOTHING),  # three levels fill three sites
    Switch("injection.leak_into_position", True, context={"injection.type": "ReleasedInjection"}),
    Switch("injection.placement", "append"),
    Switch("injection.sparse_sites", ("block1",)),
    Switch("injection.sparse_sites", ("final",)),
    Switch("injection.sparse_sites", ("block1",), context=APPEND),
    Switch("injection.dense_sites", ("block1",)),
    Switch("injection.dense_sites", ("final",)),
    Switch("injection.dense_sites", ("final",), context=APPEND),
    Switch("injection.repeat_level", 0),
    Switch("injection.repeat_level", -1),
    Switch("injection.repeat_level", -1, context=APPEND),
    Switch("tracker.train_conditioning", "last", TRAINING, MEMORY),
    Switch("tracker.test_conditioning", "last", ANSWERS, MEMORY),
    Switch("tracker.use_memory", True),
    Switch("tracker.pointer_gradients", False, frozenset({"gradients"}), MEMORY),
    Switch("mask_loss.reduction", "sum_over_frames", TRAINING),
    Switch("mask_loss.loss_size", 32, TRAINING),
    Switch("contrastive_loss", None, TRAINING),
    Switch("contrastive_loss", dict(type="InfoNCELoss"), TRAINING),
    Switch("contrastive_loss", dict(type="ReleasedAudioConLoss"), TRAINING),
    Switch("contrastive_loss.weight", 0.1, TRAINING),
    Switch("contrastive_loss.temperature", 0.5, TRAINING),
    Switch("contrastive_loss.max_samples", 2, TRAINING),
    Switch("contrastive_loss.repel_audio", True, TRAINING),
    Switch("contrastive_loss.anchors", "audio", TRAINING),
    Switch("projector.num_layers", 2, TRAINING),
    Switch("projector.out_channels", 32, TRAINING),
    Switch("projector", dict(type="ReleasedConvProjector"), TRAINING),
    Switch("projector", dict(type="ReleasedRefProjector"), TRAINING),
]


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda s: f"{s.path}={s.value}")
def test_a_switch_changes_what_it_should(switch_bench: Any, switch: Switch) -> None:
    found = switch_bench.changed_by(switch.path, switch.value, switch.context)
    assert found == switch.changes


def test_the_same_switches_give_the_same_numbers(switch_bench: Any) -> None:
    """Else every test above would be true by chance."""
    _, expected = switch_bench.reference({})
    for one, other in zip(expected, switch_bench.run(switch_bench.build({}))):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("level", [3, -4])
def test_a_level_that_is_not_there_is_refused_at_building(switch_bench: Any, level: int) -> None:
    with pytest.raises(ValueError, match=f"repeat_level={level}"):
        switch_bench.build({"injection.repeat_level": level})


@pytest.mark.parametrize("tokens", [("mask",), ("iou",), ("mask", "iou"), ("object", "mask")])
def test_a_prompt_of_the_last_site_reaches_what_its_tokens_answer(
    switch_bench: Any, tokens: tuple[str, ...]
) -> None:
    """Tokens do not read each other in the final attention: each output has its own gradient."""
    model = switch_bench.build({"injection.tokens": tokens, "injection.sparse_sites": ("final",)})
    batch = switch_bench.batch()
    pyramid = model.encode(batch["frames"])
    given = model.prompts(model.listen(pyramid, batch["log_mel"]))
    sparse = tuple(prompt.detach().requires_grad_() for prompt in given.sparse)
    found = model.tracker(
        model.backbone.network, pyramid, given._replace(sparse=sparse), model.injection
    )
    outputs = {"mask": "mask_logits", "iou": "ious", "object": "object_score_logits"}
    for token, output in outputs.items():
        total = getattr(found, output).square().sum()
        gradients = torch.autograd.grad(total, sparse, allow_unused=True, retain_graph=True)
        reached = [g is not None and bool(g.abs().max() > 0) for g in gradients]
        # Coarse to fine: the last site has the finest level, the first in order of computation.
        assert reached == [token in tokens, False, False], token


@pytest.mark.parametrize("frozen", [True, False])
def test_one_step_reaches_vggish_where_it_is_tuned(switch_bench: Any, frozen: bool) -> None:
    encoder = dict(type="VGGish", random_weights=True, frozen=frozen)
    model = switch_bench.build({"audio_encoder": encoder}).train()
    batch = switch_bench.batch()
    sum(model(**batch).values()).backward()
    reached = [p.grad is not None and bool(p.grad.any()) for p in model.audio_encoder.parameters()]
    assert len(reached) == 18 and all(r != frozen for r in reached)
    assert all(p.grad is None for p in model.backbone.parameters())
    before = model.audio_encoder(batch["log_mel"])
    torch.optim.SGD(model.parameters(), lr=1.0).step()
    after = model.audio_encoder(batch["log_mel"])
    assert torch.equal(before, after) == frozen, "its vectors are of the weights of now"


GIVEN_BY_THE_MODEL = {"channels", "embedding_size", "depth"}
# It changes the memory only where a frame's object score is negative.
ELSEWHERE = {"tracker.gate_memory"}


@pytest.mark.parametrize(
    "axis", ["injection", "tracker", "pyramid", "sparse_prompt", "dense_prompt", "projector"]
)
def test_no_argument_is_left_out(switch_bench: Any, axis: str) -> None:
    known = parameters_of(REGISTRIES[axis].lookup(switch_bench.base[axis]["type"])).known
    tried = {s.path for s in SWITCHES} | ELSEWHERE
    assert {f"{axis}.{a}" for a in known if a not in GIVEN_BY_THE_MODEL} <= tried
