"""The cache gives what would have been computed, and computes it once."""

import torch
from torch import Tensor, nn

from auralsam2.models.feature_cache import FeatureCache, LastPyramid, shared_cache
from auralsam2.structures import VisualPyramid


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
    assert cache.used == 0


def test_only_equal_weights_share_a_cache() -> None:
    one, same, other = (nn.Conv2d(1, 1, 1) for _ in range(3))
    same.load_state_dict(one.state_dict())
    assert shared_cache(one, 4) is shared_cache(same, 4)
    assert shared_cache(one, 4) is not shared_cache(other, 4)
    assert shared_cache(one, 4) is not shared_cache(one, 8)


def test_the_last_batch_alone_is_remembered() -> None:
    last, compute = LastPyramid(), Counter()
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
