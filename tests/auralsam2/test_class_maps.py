"""Maps of classes: foreground, most likely classes, labels at another size."""

from __future__ import annotations

import pytest
import torch

from auralsam2.class_maps import (
    check_classes,
    foreground_logits,
    labels_at,
    predicted_classes,
)
from auralsam2.structures import UNLABELLED


def test_foreground_is_where_the_background_does_not_win() -> None:
    logits = torch.randn(2, 3, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    mask = foreground_logits(logits)
    assert mask.shape == (2, 3, 6, 7)
    assert torch.equal(mask > 0, logits.argmax(dim=2) != 0) and 0 < (mask > 0).float().mean() < 1


def test_classes_at_another_size_are_those_of_interpolated_logits() -> None:
    # Between a pixel of class 1 and one of class 2, class 0 of the middle wins nowhere.
    logits = torch.tensor([[[0.0, 0.0]], [[4.0, -4.0]], [[-4.0, 2.0]]])[None]
    assert predicted_classes(logits, (1, 2)).tolist() == [[[1, 2]]]
    wide = predicted_classes(logits, (2, 8))
    # At eighths of the way from the one to the other: 4 - 8 a against 0 and -4 + 6 a.
    row = [1, 1, 1, 1, 0, 2, 2, 2]
    assert wide.tolist() == [[row, row]] and wide.dtype == torch.uint8


def test_labels_take_the_nearest_pixel() -> None:
    labels = torch.tensor([[[0, 70], [UNLABELLED, 3]]], dtype=torch.uint8)
    assert labels_at(labels, 2) is labels
    assert labels_at(labels, 4)[0, :, ::2].tolist() == [[0, 70]] * 2 + [[255, 3]] * 2
    assert labels_at(labels_at(labels, 4), 2).tolist() == labels.tolist()


def test_labels_of_too_many_classes_are_refused() -> None:
    labels = torch.tensor([4, UNLABELLED, 0], dtype=torch.uint8)
    check_classes(labels, 5)
    check_classes(torch.full((2,), UNLABELLED), 1)
    told = "labels of clip 'a' have classes up to 4, .* 4 apart, .* set model.num_classes to 5"
    with pytest.raises(ValueError, match=told):
        check_classes(labels, 4, "the labels of clip 'a'")
