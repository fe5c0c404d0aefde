from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.synthetic.scene import LEAST_VISIBLE, Scene, least_visible, render
from auralsam2.data.synthetic.sounds import render_sound
from auralsam2.data.synthetic.video_layout import SWING, VideoLayout, VideoTruth, video_truths
from auralsam2.data.synthetic.writer import write_clips
from auralsam2.data.video import read_audio_track, read_frames

from .conftest import PLANS

pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")

PLAN = PLANS["video"]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return VideoLayout(PLAN).scene(0)


@pytest.fixture(scope="module")
def truth(written) -> VideoTruth:
    return video_truths(written("video"))[0]


def test_pictures_are_those_of_the_scene_at_their_times(truth: VideoTruth, scene: Scene) -> None:
    read = read_frames(truth.video, [(t + 0.5) / 5 for t in range(34)])
    drawn = render(scene, 64)[0]
    assert np.shape(read) == (34, 64, 64, 3)
    own = np.abs(np.array(read, float) - drawn).mean(axis=(1, 2, 3))
    earlier = np.abs(np.array(read[1:], float) - drawn[:-1]).mean(axis=(1, 2, 3))
    assert own.max() < 8
    assert (own[1:12] < earlier[:11]).all()  # before the objects turn


def test_masks_are_what_is_seen_of_each_object(truth: VideoTruth, scene: Scene) -> None:
    masks = render(scene, 64)[1]
    assert truth.objects == tuple(item.name for item in scene.objects)
    assert len(truth.masks) == 34 and truth.fps == 5
    for t in (0, 17, 33):
        np.testing.assert_array_equal(truth.seen(t), masks[t])
        loud = scene.sounding[t // 5]
        np.testing.assert_array_equal(truth.heard(t), masks[t][loud].any(axis=0))


def test_the_sound_is_that_of_the_schedule(truth: VideoTruth, scene: Scene) -> None:
    assert scene.sounding.shape == (7, len(scene.objects))  # the last second is not whole
    wanted = render_sound(scene, np.random.default_rng([4, 0, 1])) / 32768
    assert len(wanted) == 34 * SAMPLE_RATE // 5
    samples, rate = read_audio_track(truth.video)
    assert rate == SAMPLE_RATE and abs(len(samples) - len(wanted)) <= 1024
    level = [np.sqrt(np.mean(s[2000:14000] ** 2)) for s in np.split(samples[: 6 * rate], 6)]
    loud = scene.sounding[:6].any(axis=1)
    assert loud.any() and min(np.array(level)[loud]) > 0.03
    assert (np.array(level)[~loud] < 0.03).all()


def test_long_videos_stay_in_sight_and_change(tmp_path: Path) -> None:
    layout = VideoLayout(PLAN._replace(num_frames=600))
    scene = layout.scene(1)
    assert least_visible(scene) >= LEAST_VISIBLE
    assert np.abs(scene.time).max() <= SWING
    speed = np.diff(np.stack([item.centre for item in scene.objects]), axis=1) * 5
    assert 0.01 < np.abs(speed).max() < 0.1
    changes = (scene.sounding[1:] != scene.sounding[:-1]).any(axis=1)
    assert len(scene.sounding) == 120 and 24 <= changes.sum() <= 96
    assert all(scene.sounding.any(axis=0)) and not all(scene.sounding.any(axis=1))


def test_an_odd_side_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="size must be even in videos, got 63"):
        write_clips(tmp_path / "odd", PLAN._replace(size=63))
