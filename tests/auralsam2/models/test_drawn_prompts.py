"""Prompts lie where a person would put them."""

import torch

from auralsam2.models.drawn_prompts import (
    box_of,
    box_points,
    click_points,
    coarse_mask_logits,
    correction_points,
    sample_click,
    union_points,
)


def masks() -> torch.Tensor:
    out = torch.zeros(3, 32, 32, dtype=torch.uint8)
    out[0, 4:20, 6:12] = 1
    out[1, 25:27, 0:32] = 1  # two rows: no pixel is away from the border
    out[2, 10, 10] = 1
    return out


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_clicks_hit_their_region() -> None:
    g, m = generator(), masks()
    for _ in range(20):
        xy = sample_click(m, g).long()
        assert m[torch.arange(3), xy[:, 1], xy[:, 0]].tolist() == [1, 1, 1]


def test_clicks_keep_off_the_border_where_there_is_an_inside() -> None:
    g, m = generator(), masks()
    clicks = torch.stack([sample_click(m, g)[0] for _ in range(50)])
    assert clicks[:, 0].min() >= 8 and clicks[:, 0].max() <= 10
    assert len(clicks.unique(dim=0)) > 5, "clicks must vary"


def test_empty_region_gives_the_centre() -> None:
    assert sample_click(torch.zeros(1, 32, 32), generator()).tolist() == [[16.5, 16.5]]


def test_boxes_are_tight_without_jitter_and_labelled_as_corners() -> None:
    boxes = box_of(masks(), 0.0, generator())
    assert boxes.tolist() == [[[6, 4], [12, 20]], [[0, 25], [32, 27]], [[10, 10], [11, 11]]]
    points = box_points(masks(), generator())
    assert points.labels.tolist() == [[2, 3]] * 3
    assert (points.coords - boxes).abs().amax(dim=(1, 2)).le(0.1 * 32).all()


def test_union_clicks_one_on_each_part() -> None:
    parts = masks()[None, :2]
    points = union_points(parts, generator())
    xy = points.coords.long()[0]
    assert [int(parts[0, i, xy[i, 1], xy[i, 0]]) for i in range(2)] == [1, 1]


def test_correction_clicks_the_larger_error_with_the_right_sign() -> None:
    truth = masks()[:1].repeat(2, 1, 1)
    predicted = torch.zeros(2, 32, 32, dtype=torch.bool)
    predicted[1] = True  # everything: what is wrong is too much
    more = correction_points(click_points(truth, generator()), truth, predicted, generator())
    xy = more.coords[:, 1].long()
    assert more.labels[:, 1].tolist() == [1, 0]
    assert truth[torch.arange(2), xy[:, 1], xy[:, 0]].tolist() == [1, 0]


def test_coarse_masks_agree_in_sign() -> None:
    logits = coarse_mask_logits(masks()[:1], 32, generator())
    assert logits.shape == (1, 1, 32, 32)
    assert logits[0, 0, 8:16, 8:10].min() > 0 and logits[0, 0, 28:, 28:].max() < 0
