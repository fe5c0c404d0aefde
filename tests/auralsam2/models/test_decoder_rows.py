"""Whose rows a decoder sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from auralsam2.models.decoder_rows import CannotProbeError, DecoderRow, coverage, rows_of_frames
from auralsam2.models.methods.base import ClipMethod, SAM2Method
from auralsam2.models.tracking import MemoryTracker

MASKS = torch.zeros(2, 3, 8, 8)


@pytest.fixture
def tracker() -> MemoryTracker:
    return MemoryTracker(test_conditioning="middle").eval()


def test_one_call_a_frame_in_the_order_of_the_tracker(tracker: MemoryTracker) -> None:
    calls = rows_of_frames(tracker, MASKS)
    assert calls == [[DecoderRow(0, t), DecoderRow(1, t)] for t in (1, 0, 2)]


def test_without_memory_all_frames_are_one_call(tracker: MemoryTracker) -> None:
    tracker.use_memory = False
    assert rows_of_frames(tracker, MASKS) == [[DecoderRow(i, t) for i in (0, 1) for t in range(3)]]


def test_coverage_is_of_the_row_s_own_mask() -> None:
    masks = torch.zeros(1, 1, 4, 4)
    masks[0, 0, :2] = 1
    own = torch.zeros(4, 4)
    own[0, 0] = 1

    found = coverage([DecoderRow(0, 0), DecoderRow(0, 0, own)], masks, 2)

    torch.testing.assert_close(found, torch.tensor([[1, 1, 0, 0], [0.25, 0, 0, 0]]))


@pytest.mark.parametrize(
    ("base", "message"),
    [(ClipMethod, "has no SAM2 mask decoder"), (SAM2Method, "does not say whose rows")],
)
def test_methods_that_do_not_say(base: type, message: str) -> None:
    method = type("Mine", (), {"tracker": None})()
    with pytest.raises(CannotProbeError, match=f"Mine {message}"):
        base.decoder_rows(method, MASKS)


def test_human_prompts_have_a_row_an_object() -> None:
    from auralsam2.models.methods.prompted import PromptedSAM2

    masks = torch.zeros(2, 2, 16, 16)
    masks[0, 1, :8, :8] = 1
    masks[0, 1, 10:14, 10:14] = 1
    masks[1, 0, 4:8] = 1
    rows: Callable = PromptedSAM2.decoder_rows
    every = type("Every", (), {"prompted_frames": "every"})()

    calls = rows(every, masks)

    assert [[(r.clip, r.frame) for r in call] for call in calls] == [[(0, 1), (0, 1)], [(1, 0)]]
    assert [int(r.mask.sum()) for call in calls for r in call] == [64, 16, 64], "largest first"
    with pytest.raises(CannotProbeError, match="prompted_frames='first' cannot be looked into"):
        rows(type("First", (), {"prompted_frames": "first"})(), masks)
