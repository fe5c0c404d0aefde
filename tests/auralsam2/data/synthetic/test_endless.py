from __future__ import annotations

import pytest
import torch

from auralsam2.data.synthetic import endless
from auralsam2.data.synthetic.endless import (
    MIN_AREA,
    FreshIndexSampler,
    PromptDataset,
    collate_prompts,
)

SETTINGS = dict(length=3, image_size=32)


@pytest.fixture(autouse=True)
def small_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endless, "STILLS", 2)
    monkeypatch.setattr(endless, "NUM_FRAMES", 3)


def test_an_item_has_the_documented_tensors() -> None:
    item = PromptDataset(**SETTINGS)[0]
    assert {key: tuple(value.shape) for key, value in item.items()} == {
        "images": (2, 3, 32, 32),
        "image_masks": (2, 2, 32, 32),
        "clips": (1, 3, 3, 32, 32),
        "clip_masks": (1, 3, 32, 32),
    }
    assert all(value.dtype == torch.uint8 for value in item.values())
    assert item["images"].max() > 100


def test_an_item_hangs_on_seed_and_index_alone() -> None:
    first, again, other = (PromptDataset(**SETTINGS, seed=s) for s in (0, 0, 1))
    first[0]
    for key, value in first[2].items():
        assert torch.equal(value, again[2][key])
    assert not torch.equal(first[2]["images"], again[1]["images"])
    assert not torch.equal(first[2]["images"], other[2]["images"])


def test_objects_are_large_enough_and_apart() -> None:
    dataset = PromptDataset(**SETTINGS)
    for index in range(20):
        item = dataset[index]
        assert set(item["image_masks"].unique().tolist()) == {0, 1}
        assert (item["image_masks"].float().mean(dim=(2, 3)) >= MIN_AREA).all()
        assert item["image_masks"].sum(dim=1).max() == 1
        assert item["clip_masks"][:, 0].float().mean() >= MIN_AREA


@pytest.mark.parametrize(("cut", "gone"), [(0.0, False), (1.0, True)])
def test_after_a_cut_the_object_is_gone(
    monkeypatch: pytest.MonkeyPatch, cut: float, gone: bool
) -> None:
    monkeypatch.setattr(endless, "CUT", cut)
    dataset = PromptDataset(**SETTINGS)
    for index in range(5):
        masks = dataset[index]["clip_masks"][0]
        assert masks[0].any()
        assert bool(masks[1:].any()) is not gone


def test_recolouring_keeps_the_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    items = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(endless, "RECOLOUR", share)
        items.append(PromptDataset(**SETTINGS)[0])
    plain, recoloured = items
    assert not torch.equal(plain["images"], recoloured["images"])
    # The scene is drawn before its colours; which of its objects are asked for is drawn after.
    pairs = [(m, n) for m in plain["image_masks"][0] for n in recoloured["image_masks"][0]]
    assert any(torch.equal(m, n) for m, n in pairs)


def test_batches_join_items() -> None:
    dataset = PromptDataset(**SETTINGS)
    batch = collate_prompts([dataset[0], dataset[1], dataset[2]])
    assert batch["images"].shape == (6, 3, 32, 32)
    assert batch["clip_masks"].shape == (3, 3, 32, 32)
    assert torch.equal(batch["images"][2:4], dataset[1]["images"])


def test_indices_never_repeat_and_resume_with_the_epoch() -> None:
    sampler = FreshIndexSampler(PromptDataset(**SETTINGS), shuffle=True, seed=None)
    seen = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        seen += list(sampler)
    assert seen == list(range(9)) and len(sampler) == 3
    resumed = FreshIndexSampler(PromptDataset(**SETTINGS))
    resumed.set_epoch(2)
    assert list(resumed) == [6, 7, 8]
