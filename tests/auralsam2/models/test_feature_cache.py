"""The cache gives what would have been computed, and computes it once."""

import torch
from torch import Tensor, nn

from auralsam2.models.feature_cache import (
    MEGABYTE,
    FeatureCache,
    FeatureStore,
    LastAnswer,
    weights_digest,
)
from auralsam2.structures import VisualPyramid

CLIP = 2 * 8 * 8 * 4 * 2 / MEGABYTE
"""Megabytes of a pyramid of the counter."""


def frames_of(*values: int) -> Tensor:
    return torch.stack([torch.full((2, 3, 8, 8), v, dtype=torch.uint8) for v in values])


class Counter:
    def __init__(self) -> None:
        self.clips = 0

    def __call__(self, frames: Tensor) -> VisualPyramid:
        self.clips += len(frames)
        coarse = frames.float().mean(2, keepdim=True)
        return VisualPyramid((coarse * 2, coarse))


def test_each_clip_is_computed_once_and_in_its_own_place() -> None:
    cache, compute = FeatureCache(1), Counter()
    cache(frames_of(1, 2), compute)
    pyramid = cache(frames_of(2, 3, 1), compute)
    assert compute.clips == 3
    assert (cache.hits, cache.misses) == (2, 3)
    assert pyramid.levels[0][:, 0, 0, 0, 0].tolist() == [4.0, 6.0, 2.0]
    for cached, direct in zip(pyramid.levels, compute(frames_of(2, 3, 1)).levels, strict=True):
        assert torch.equal(cached, direct)


def test_a_clip_that_stands_twice_in_a_batch_is_kept_once() -> None:
    cache = FeatureCache(1)
    cache(frames_of(1, 1), Counter())
    assert cache.store.used == CLIP * MEGABYTE


def test_changed_pixels_miss() -> None:
    cache, compute = FeatureCache(1), Counter()
    frames = frames_of(1)
    cache(frames, compute)
    frames[0, 0, 0, 0, 0] += 1
    cache(frames, compute)
    assert compute.clips == 2


def test_budget_is_kept() -> None:
    cache, compute = FeatureCache(0), Counter()
    cache(frames_of(1), compute)
    cache(frames_of(1), compute)
    assert compute.clips == 2
    assert cache.store.used == 0


def test_only_equal_weights_share_what_is_kept() -> None:
    one, same, other = (nn.Conv2d(1, 1, 1) for _ in range(3))
    same.load_state_dict(one.state_dict())
    store, compute = FeatureStore(), Counter()
    for backbone, computed in ((one, 1), (same, 1), (other, 2)):
        FeatureCache(4, store, weights_digest(backbone))(frames_of(1), compute)
        assert compute.clips == computed


def test_backbones_of_a_process_share_one_budget() -> None:
    store = FeatureStore()
    old, new, last = (FeatureCache(2 * CLIP, store, name) for name in (b"old", b"new", b"last"))
    compute = Counter()
    old(frames_of(1, 2), compute)
    new(frames_of(3), compute)
    assert store.used == 2 * CLIP * MEGABYTE
    old(frames_of(2), compute)
    assert compute.clips == 3, "the oldest went, not the later one"
    new(frames_of(3), compute)
    assert compute.clips == 3
    last(frames_of(4), compute)
    old(frames_of(2), compute)
    assert compute.clips == 5, "of two others, that of the one asked least recently went"


def test_what_an_earlier_run_alone_has_asked_for_makes_room() -> None:
    store, compute = FeatureStore(), Counter()
    earlier, later = (FeatureCache(2 * CLIP, store, b"same weights") for _ in range(2))
    earlier(frames_of(1, 2), compute)
    later(frames_of(2, 3), compute)
    later(frames_of(2, 3), compute)
    assert (compute.clips, later.hits, later.misses) == (3, 3, 1)


def test_a_runs_own_never_make_room_for_its_new_ones() -> None:
    cache, compute = FeatureCache(2 * CLIP), Counter()
    cache(frames_of(1, 2, 3), compute)
    cache(frames_of(1, 2), compute)
    assert (compute.clips, cache.hits) == (3, 2)
    cache(frames_of(3), compute)
    assert compute.clips == 4


def test_what_does_not_fit_drives_nothing_out() -> None:
    store, tensor = FeatureStore(), torch.zeros(1, 2)
    store.keep("x", [tensor], 8 / MEGABYTE, "a")
    store.keep("y", [torch.zeros(4)], 8 / MEGABYTE, "b")
    assert store.get("x", "b") is not None and store.get("y", "b") is None


def test_what_is_kept_is_nobodys_elses_memory() -> None:
    store, given = FeatureStore(), torch.ones(2)
    store.keep("x", [given], 1, "a")
    given.fill_(5.0)
    (kept,) = store.get("x", "a") or ()
    assert (kept == 1).all()


def test_the_last_batch_alone_is_remembered() -> None:
    last, compute = LastAnswer(), Counter()
    for frames in (frames_of(1, 2), frames_of(1, 2), frames_of(2, 1), frames_of(2), frames_of(2)):
        pyramid = last(frames, compute)
        for kept, direct in zip(pyramid.levels, Counter()(frames).levels, strict=True):
            assert torch.equal(kept, direct)
    assert compute.clips == 2 + 2 + 1
    changed = frames_of(2)
    changed[0, 0, 0, 0, 0] += 1
    last(changed, compute)
    assert compute.clips == 6


def test_another_precision_is_another_entry() -> None:
    cache, compute = FeatureCache(1), Counter()
    cache(frames_of(1), compute)
    with torch.autocast("cpu", torch.bfloat16):
        cache(frames_of(1), compute)
        cache(frames_of(1), compute)
    with torch.autocast("cpu", torch.float16):
        cache(frames_of(1), compute)
    assert compute.clips == 3
