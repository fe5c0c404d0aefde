from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.synthetic.schedule import sample_schedule


def schedules(num_clips: int = 400, num_frames: int = 5) -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    return [sample_schedule(rng, num_frames, 2 + i % 3) for i in range(num_clips)]


def test_nothing_one_or_two_objects_sound() -> None:
    counts = np.concatenate([s.sum(axis=1) for s in schedules()])
    assert set(counts) == {0, 1, 2}
    assert 0.08 < np.mean(counts == 0) < 0.20


def test_something_always_stays_silent() -> None:
    assert all((s.sum(axis=1) < s.shape[1]).all() for s in schedules())


def test_pairs_are_frequent_where_there_is_room() -> None:
    counts = np.concatenate([s.sum(axis=1) for s in schedules() if s.shape[1] > 2])
    assert 0.25 < np.mean(counts[counts > 0] == 2) < 0.65


@pytest.mark.parametrize("num_frames", [3, 5, 10])
def test_the_set_changes_within_every_clip(num_frames: int) -> None:
    assert all(len(np.unique(s, axis=0)) > 1 for s in schedules(60, num_frames))


def test_many_clips_fall_silent_after_a_sound() -> None:
    falls = [((s[:-1].any(axis=1)) & ~s[1:].any(axis=1)).any() for s in schedules()]
    assert np.mean(falls) > 0.15


@pytest.mark.parametrize("num_frames", [1, 2])
def test_short_clips_have_one_set(num_frames: int) -> None:
    assert all(len(np.unique(s, axis=0)) == 1 for s in schedules(20, num_frames))


def test_no_place_in_the_list_is_preferred() -> None:
    share = np.mean([s for s in schedules(1200) if s.shape[1] == 4], axis=(0, 1))
    assert np.abs(share - share.mean()).max() < 0.05
