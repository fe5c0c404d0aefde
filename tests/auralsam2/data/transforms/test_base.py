from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from auralsam2.data.transforms.base import Augmentation
from auralsam2.registry import ComponentArgumentError, UnknownComponentError

NODES = [dict(type="RandomClipAffine"), dict(type="RandomClipFlip")]
FRAMES = np.random.default_rng(1).integers(0, 256, (2, 16, 20, 3), dtype=np.uint8)
MASKS = (FRAMES[..., 0] > 128).astype(np.uint8)


def draw(augmentation: Augmentation, index: int = 0) -> np.ndarray:
    return augmentation(FRAMES, MASKS, index)[0]


def test_draws_hang_on_seed_epoch_and_clip_alone() -> None:
    one, other = Augmentation(NODES, seed=3), Augmentation(NODES, seed=3)
    first = draw(one, 5)
    draw(other, 1)
    assert np.array_equal(draw(other, 5), first)  # whatever was drawn before
    assert not np.array_equal(draw(one, 6), first)
    assert not np.array_equal(draw(Augmentation(NODES, seed=4), 5), first)
    one.set_epoch(1)
    assert one.epoch == 1 and not np.array_equal(draw(one, 5), first)
    one.set_epoch(0)
    assert np.array_equal(draw(one, 5), first)


def test_no_transform_is_false_and_changes_nothing() -> None:
    augmentation = Augmentation([])
    assert not augmentation and Augmentation(NODES)
    frames, masks = augmentation(FRAMES, MASKS, 0)
    assert frames is FRAMES and masks is MASKS


def test_unknown_transforms_are_refused_with_a_hint() -> None:
    with pytest.raises(UnknownComponentError, match="did you mean 'RandomClipFlip'"):
        Augmentation([dict(type="RandomClipFlop")])
    with pytest.raises(ComponentArgumentError, match="unknown argument 'p'"):
        Augmentation([dict(type="RandomClipFlip", p=0.5)])
    with pytest.raises(UnknownComponentError):
        Augmentation([dict(type="RandomFlip")])  # mmcv's, for single pictures


class Draws(Dataset):
    """Items are what the transforms make of one clip."""

    def __init__(self) -> None:
        self.augmentation = Augmentation(NODES)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(draw(self.augmentation, index).copy())


def test_persistent_workers_follow_the_epoch() -> None:
    # Deep copied as mmengine's Runner does it, after an epoch was set already.
    original = Draws()
    original.augmentation.set_epoch(7)
    dataset = copy.deepcopy(original)
    loader = DataLoader(dataset, batch_size=4, num_workers=1, persistent_workers=True)
    seen = {}
    for epoch in (0, 1, 0):
        dataset.augmentation.set_epoch(epoch)
        (batch,) = loader
        assert epoch not in seen or torch.equal(seen[epoch], batch)
        seen[epoch] = batch
        assert torch.equal(batch, torch.stack([dataset[i] for i in range(4)]))
    assert not torch.equal(seen[0], seen[1])
    assert original.augmentation.epoch == 7
