from __future__ import annotations

import pytest
import torch

from auralsam2.data.collate import collate_clips


def clip(name: str, num_frames: int = 5, native: int = 40) -> dict:
    size = 16
    return {
        "frames": torch.full((num_frames, 3, size, size), 7, dtype=torch.uint8),
        "log_mel": torch.zeros(num_frames, 2, 96, 64),
        "masks": torch.ones(num_frames, size, size, dtype=torch.uint8),
        "native_masks": torch.ones(num_frames, native, native, dtype=torch.uint8),
        "supervised": torch.ones(num_frames, dtype=torch.bool),
        "clip": name,
    }


def test_tensors_are_stacked_and_keep_their_type() -> None:
    items = [clip("a"), clip("b"), clip("c")]
    items[1]["frames"] += 1
    batch = collate_clips(items)
    assert batch["frames"].shape == (3, 5, 3, 16, 16) and batch["frames"].dtype == torch.uint8
    assert batch["log_mel"].shape == (3, 5, 2, 96, 64)
    assert batch["masks"].shape == (3, 5, 16, 16)
    assert batch["supervised"].shape == (3, 5) and batch["supervised"].dtype == torch.bool
    assert batch["frames"].flatten(1).float().mean(1).tolist() == [7, 8, 7]


def test_native_masks_of_any_size_and_names_stay_lists() -> None:
    batch = collate_clips([clip("a", native=40), clip("b", native=56)])
    assert [tuple(m.shape) for m in batch["native_masks"]] == [(5, 40, 40), (5, 56, 56)]
    assert batch["clip"] == ["a", "b"]


def test_clips_of_other_lengths_are_named() -> None:
    with pytest.raises(ValueError, match=r"'frames': long \(10, .*short \(5,.*batch_size"):
        collate_clips([clip("long", num_frames=10), clip("short")])


def test_what_was_skipped_is_one_list_of_the_batch() -> None:
    items = [clip("a"), {**clip("b"), "skipped": (("x", "broken"), ("y", "broken"))}, clip("c")]
    for order in (items, items[::-1]):
        batch = collate_clips(order)
        assert batch["skipped"] == [("x", "broken"), ("y", "broken")]
        assert batch["frames"].shape[0] == 3
    assert "skipped" not in collate_clips(items[:1])
