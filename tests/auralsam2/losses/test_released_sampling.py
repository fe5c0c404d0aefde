"""Which pixels and sounds the released code draws, rule by rule."""

from __future__ import annotations

import pytest
import torch

from auralsam2.losses.contrastive import JointSet
from auralsam2.losses.released_sampling import (
    SamplingRules,
    audio_labels,
    draw_pixels,
    keep_prefix,
    released_joint_set,
    take_counts,
)

OWN = SamplingRules(labels="own")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "hard, easy, added, filled",
    [
        (50, 0, (12, 0), (8, 0)),  # up to 3K
        (6, 0, (6, 0), (6, 0)),
        (0, 50, (0, 12), (0, 8)),
        (50, 1, (11, 1), (7, 1)),
        (1, 50, (1, 11), (1, 7)),
        (50, 50, (4, 4), (4, 4)),
        (3, 50, (3, 9), (3, 5)),
        (3, 3, (3, 3), (3, 3)),
        (0, 0, (0, 0), (0, 0)),
    ],
)
def test_counts(hard, easy, added, filled):
    assert take_counts(hard, easy, 4, "added") == added
    assert take_counts(hard, easy, 4, "filled") == filled


def test_labels_are_looked_up_by_rank():
    # Three pixels of class 1 at the end: their ranks 0..2 read background.
    values = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])
    positions, labels = draw_pixels(values, torch.full((8,), 0.3), 128, generator=seeded())
    assert sorted(positions.tolist()) == list(range(8))
    assert labels.tolist() == [0] * 8
    positions, labels = draw_pixels(values, torch.full((8,), 0.3), 128, OWN, seeded())
    assert torch.equal(labels, values[positions])


def test_an_object_in_the_middle_loses_all_its_pixels_at_real_size():
    values = torch.zeros(64, 64, dtype=torch.long)
    values[22:42, 22:42] = 1
    values = values.flatten()
    logits = torch.randn(64 * 64, generator=seeded())
    positions, labels = draw_pixels(values, logits, 128, generator=seeded())
    on_object = values[positions] == 1
    assert (int(on_object.sum()), len(positions)) == (384, 768)
    assert labels[on_object].sum() == 0
    # Background pixels take over labels of the object: 384 * 400 / 3696 in the mean.
    assert 25 < int(labels.sum()) < 60


def test_rank_k_of_a_class_reads_pixel_k():
    values = (torch.rand(40, generator=seeded()) > 0.5).long()
    positions, labels = draw_pixels(values, torch.zeros(40), 128, generator=seeded())
    easy = values == 0  # a prediction of exactly 0
    for kind in (easy, ~easy):
        pixels = kind.nonzero().squeeze(1)
        for rank, pixel in enumerate(pixels.tolist()):
            assert labels[positions == pixel].item() == values[rank]


@pytest.mark.parametrize(
    "prediction, taken, num_hard", [("logits", 12, None), ("thresholded", 8, 4)]
)
def test_raw_logits_leave_nothing_easy(prediction, taken, num_hard):
    masks = torch.zeros(1, 8, 8)
    masks[:, :4] = 1
    logits = torch.full((1, 8, 8), 3.0)
    logits[:, 6:] = -3.0  # half of the background is predicted well
    joint = released_joint_set(
        [torch.arange(64.0).view(1, 64, 1)],
        [torch.zeros(1, 1)],
        logits,
        masks,
        max_samples=4,
        rules=SamplingRules(labels="own", prediction=prediction),
        generator=seeded(),
    )
    background = joint.visual[joint.visual_labels == 0]
    assert len(background) == taken  # 3K of one kind, or K of each
    if num_hard is not None:
        assert int((background < 48).sum()) == num_hard


@pytest.mark.parametrize(
    "mask, grid, one_value, empty",
    [
        ([0, 0, 0, 0], [0, 0], [0], [0]),
        ([1, 1, 1, 1], [1, 1], [0], [1]),  # all object
        ([0, 1, 0, 0], [0, 0], [0], [1]),  # too small for the grid
        ([0, 1, 1, 0], [0, 1], [1], [1]),
        ([0, 1, 255, 0], [0, 255], [255], [1, 255]),
        ([1, 1, 255, 255], [1, 255], [255], [1, 255]),
        ([255, 255, 255, 255], [255, 255], [0], [255]),
    ],
)
def test_labels_of_sounds(mask, grid, one_value, empty):
    mask, grid = torch.tensor(mask), torch.tensor(grid)
    assert audio_labels(mask, grid) == one_value
    assert audio_labels(mask, grid, SamplingRules(silent_rule="empty")) == empty


@pytest.mark.parametrize(
    "mask, one_value, empty",
    [([0, 1, 255], [1], [1]), ([0, 0, 255], [0], [0]), ([255, 255], [], [])],
)
def test_labels_of_sounds_without_the_ignore_class(mask, one_value, empty):
    mask = torch.tensor(mask)
    for rule, expected in (("one_value", one_value), ("empty", empty)):
        rules = SamplingRules(silent_rule=rule, ignore_class=False)
        assert audio_labels(mask, mask, rules) == expected


def test_ignored_pixels_are_left_out_on_request():
    values = torch.tensor([0, 255, 1, 255])
    positions, labels = draw_pixels(values, torch.rand(4), 128, OWN, seeded())
    assert sorted(labels.tolist()) == [0, 1, 255, 255]
    rules = OWN._replace(ignore_class=False)
    positions, labels = draw_pixels(values, torch.rand(4), 128, rules, seeded())
    assert sorted(positions.tolist()) == [0, 2] and 255 not in labels.tolist()


def test_a_frame_of_ignored_pixels_gives_nothing():
    rules = SamplingRules(ignore_class=False)
    masks, points = torch.full((1, 4, 4), 255), [torch.zeros(1, 4, 3)]
    joint = released_joint_set(points, [torch.zeros(1, 3)], torch.rand(1, 4, 4), masks, 4, rules)
    assert joint.visual.shape == joint.audio.shape == (0, 3)
    assert len(joint.visual_labels) == len(joint.audio_labels) == 0


def test_frames_come_first_then_levels():
    masks = torch.zeros(2, 2, 2)
    masks[1, 0] = 1
    # 100 * level + 10 * frame + pixel
    frames = torch.tensor([[0.0, 1, 2, 3], [10, 11, 12, 13]]).unsqueeze(2)
    sounds = torch.tensor([[5.0], [15.0]])
    joint = released_joint_set(
        [frames, 100 + frames], [sounds, 100 + sounds], torch.rand(2, 2, 2), masks, rules=OWN
    )
    assert [int(v) // 10 for v in joint.visual] == [0] * 4 + [10] * 4 + [1] * 4 + [11] * 4
    assert joint.audio.squeeze(1).tolist() == [5, 105, 15, 115]
    assert joint.audio_labels.tolist() == [0, 0, 1, 1]


def test_truncation_keeps_a_prefix_of_random_length():
    joint = JointSet(torch.arange(50.0)[:, None], torch.arange(50), torch.ones(1, 1), torch.ones(1))
    lengths = set()
    for seed in range(40):
        kept = keep_prefix(joint, 20, seeded(seed))
        lengths.add(len(kept.visual))
        assert kept.visual_labels.tolist() == list(range(len(kept.visual)))
        assert len(kept.visual) == len(kept.visual_labels)
    assert min(lengths) < 10 and max(lengths) > 40  # the cap is no cap
    assert keep_prefix(joint, 50, None) is joint
