"""The joint set of a clip and its pooling, for every registered contrastive loss."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from auralsam2.losses.audio_con import AudioConLoss
from auralsam2.losses.contrastive import JointSet, SampledClips, log_negative_sums
from auralsam2.losses.sampling import pixel_labels
from auralsam2.registry import CONTRASTIVE_LOSSES
from auralsam2.structures import Embeddings

NAMES = CONTRASTIVE_LOSSES.names()


def make_batch(clips=3, frames=4, levels=3, size=4, channels=8, dtype=torch.float32):
    """Clips whose last frame is silent, and whose embeddings tell clip, frame, level, pixel."""
    generator = torch.Generator().manual_seed(0)

    def unit(*shape):
        drawn = torch.randn(*shape, generator=generator, dtype=dtype)
        return F.normalize(drawn, dim=-1).requires_grad_()

    embeddings = Embeddings(
        visual=tuple(unit(clips, frames, size * size, channels) for _ in range(levels)),
        audio=tuple(unit(clips, frames, channels) for _ in range(levels)),
    )
    logits = torch.randn(clips, frames, 4 * size, 4 * size, generator=generator)
    blocks = torch.rand(clips, frames, 2 * size, 2 * size, generator=generator) > 0.6
    masks = blocks.repeat_interleave(8, dim=-1).repeat_interleave(8, dim=-2).float()
    masks[:, -1] = 0
    return embeddings, logits, masks, torch.ones(clips, frames, dtype=torch.bool)


def select(batch, clips):
    embeddings, *rest = batch
    visual, audio = (tuple(x[clips] for x in level) for level in embeddings)
    return Embeddings(visual, audio), *(tensor[clips] for tensor in rest)


def test_every_sampled_pixel_keeps_its_own_label():
    embeddings, logits, masks, supervised = make_batch()
    loss = AudioConLoss(max_samples=2)
    generator = torch.Generator().manual_seed(0)
    sets = loss.joint_sets(SampledClips(embeddings, logits, masks, supervised), generator)
    labels = pixel_labels(masks, 4)
    for clip, joint in enumerate(sets):
        flat = torch.cat([x[clip].flatten(0, 1) for x in embeddings.visual])
        own = torch.cat([labels[clip].flatten()] * len(embeddings.visual))
        match = (joint.visual[:, None] == flat[None]).all(dim=-1)
        assert (match.sum(dim=1) == 1).all()
        assert torch.equal(joint.visual_labels, own[match.int().argmax(dim=1)])
        assert len(joint.visual) < len(flat)


def test_audio_is_labelled_by_its_frame_at_full_resolution():
    embeddings, logits, masks, supervised = make_batch(clips=1, levels=2)
    masks.zero_()
    masks[0, 1, 5, 5] = 1  # vanishes on the token grid
    masks[0, 2] = 1
    (joint,) = AudioConLoss().joint_sets(SampledClips(embeddings, logits, masks, supervised))
    assert joint.audio_labels.tolist() == [0, 1, 1, 0] * 2
    assert torch.equal(joint.audio[:4], embeddings.audio[0][0])
    assert joint.visual_labels.sum() == 2 * 16


@pytest.mark.parametrize("name", NAMES)
def test_unsupervised_frames_stay_out(name):
    embeddings, logits, masks, supervised = make_batch(clips=2)
    supervised[0, 1:] = False
    loss = CONTRASTIVE_LOSSES.build(dict(type=name))
    sets = loss.joint_sets(SampledClips(embeddings, logits, masks, supervised))
    assert [len(joint.audio) for joint in sets] == [3, 12]
    assert [len(joint.visual) for joint in sets] == [3 * 16, 12 * 16]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pool", ["clip", "batch"])
def test_order_of_clips_does_not_matter(name, pool):
    batch = make_batch()
    loss = CONTRASTIVE_LOSSES.build(dict(type=name, pool=pool))
    first = loss(*batch)["loss_contrastive"]
    second = loss(*select(batch, [2, 0, 1]))["loss_contrastive"]
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_clips_do_not_meet_unless_asked(name):
    batch = make_batch()
    alone = torch.stack(
        [
            CONTRASTIVE_LOSSES.build(dict(type=name))(*select(batch, [i]))["loss_contrastive"]
            for i in range(3)
        ]
    )
    together = CONTRASTIVE_LOSSES.build(dict(type=name))(*batch)["loss_contrastive"]
    torch.testing.assert_close(together, alone.mean())
    pooled = CONTRASTIVE_LOSSES.build(dict(type=name, pool="batch"))(*batch)["loss_contrastive"]
    assert not torch.isclose(pooled, alone.mean(), rtol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_supervised_gives_zero_with_a_graph(name):
    embeddings, logits, masks, supervised = make_batch(clips=1)
    loss = CONTRASTIVE_LOSSES.build(dict(type=name))
    value = loss(embeddings, logits, masks, ~supervised)["loss_contrastive"]
    value.backward()
    assert float(value.detach()) == 0
    assert embeddings.visual[0].grad.abs().sum() == 0


def test_cap_keeps_pixels_and_labels_together():
    joint = JointSet(torch.arange(50.0)[:, None], torch.arange(50), torch.ones(1, 1), torch.ones(1))
    kept = AudioConLoss(max_anchors=20).limit(joint, torch.Generator().manual_seed(0))
    assert torch.equal(kept.visual.squeeze(1).long(), kept.visual_labels)
    assert len(set(kept.visual_labels.tolist())) == 20
    assert int(kept.visual_labels.max()) > 20  # a subset, not a prefix
    assert AudioConLoss(max_anchors=50).limit(joint, None) is joint


def test_missing_embeddings_are_explained():
    _, *rest = make_batch()
    with pytest.raises(ValueError, match="projector"):
        AudioConLoss()(Embeddings((), ()), *rest)


def naive(points, labels, temperature, others=None, other_labels=None):
    everything, known = points, labels
    if others is not None:
        everything, known = torch.cat((points, others)), torch.cat((labels, other_labels))
    similarity = points @ everything.T / temperature
    same = labels[:, None] == known[None]
    return similarity.masked_fill(same, -torch.inf).logsumexp(dim=1)


@pytest.mark.parametrize("scale", [1.0, 40.0])  # both sides of the safe range
@pytest.mark.parametrize("with_others", [False, True])
def test_equals_naive_sum(scale, with_others):
    generator = torch.Generator().manual_seed(0)
    points = scale * torch.randn(9, 4, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 2, 1, 1, 0, 2, 2, 0, 1])
    others = torch.randn(3, 4, generator=generator, dtype=torch.float64) if with_others else None
    other_labels = torch.tensor([1, 1, 5]) if with_others else None
    arguments = (points, labels, 0.5, others, other_labels)
    torch.testing.assert_close(log_negative_sums(*arguments), naive(*arguments))


def test_under_mixed_precision_the_sums_have_the_type_of_the_points():
    points, labels = torch.randn(4, 2), torch.tensor([0, 1, 1, 0])
    with torch.autocast("cpu", torch.bfloat16):
        sums = log_negative_sums(points, labels, 0.1)
    assert sums.dtype == torch.float32 and sums.isfinite().all()


def test_one_class_has_no_negative():
    sums = log_negative_sums(torch.randn(3, 2), torch.ones(3), 0.1)
    assert sums.tolist() == [-torch.inf] * 3


def test_large_similarities_stay_finite():
    points = torch.tensor([[1000.0, 0.0], [-1000.0, 0.0], [999.0, 0.0]], requires_grad=True)
    sums = log_negative_sums(points, torch.tensor([0, 1, 1]), 0.1)
    sums.sum().backward()
    assert sums.isfinite().all() and points.grad.isfinite().all()
