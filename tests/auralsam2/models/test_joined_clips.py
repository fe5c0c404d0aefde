"""Clips as one long video, and back."""

import torch

from auralsam2.models.joined_clips import join, separate
from auralsam2.structures import Prediction


def test_separate_undoes_join() -> None:
    tensors = [torch.randn(2, 3, *rest) for rest in ((3, 4, 4), (3,), (1,), (4, 4))]
    joined = Prediction(*(join(t) for t in tensors))
    assert joined.best.shape == (1, 6, 4, 4)
    for back, tensor in zip(separate(joined, 2), tensors, strict=True):
        torch.testing.assert_close(back, tensor, atol=0, rtol=0)
