from __future__ import annotations

import numpy as np
import pytest
from auralsam2_tools.make_synthetic import _parser, _plan

from auralsam2.data.audio import SAMPLE_RATE
from auralsam2.data.example import COMMAND, example_clip
from auralsam2.data.synthetic.scene import render_frames
from auralsam2.data.synthetic.sounds import render_sound
from auralsam2.data.synthetic.video_layout import VideoLayout
from auralsam2.data.video import read_audio_track, read_frames

pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")


def test_the_clip_is_what_its_command_draws() -> None:
    plan = _plan(_parser().parse_args(COMMAND.split()[2:]))
    scene = VideoLayout(plan).scene(0)
    read = read_frames(example_clip(), [(t + 0.5) / 5 for t in range(35)])
    for frame, (drawn, _) in zip(read, render_frames(scene, 224), strict=True):
        assert frame.shape == drawn.shape
        assert np.abs(frame.astype(float) - drawn).mean() < 4
    samples, rate = read_audio_track(example_clip())
    wanted = render_sound(scene, np.random.default_rng([84, 0, 1])) / 32768
    assert rate == SAMPLE_RATE and len(samples) >= len(wanted)
    # AAC keeps loudness and time, not the samples.
    level, target = (
        np.sqrt((s[: len(wanted)].reshape(14, -1) ** 2).mean(axis=1)) for s in (samples, wanted)
    )
    np.testing.assert_allclose(level, target, atol=0.01, rtol=0.15)


def test_it_is_small_and_tells_by_ear_alone() -> None:
    assert example_clip().stat().st_size <= 200_000
    scene = VideoLayout(_plan(_parser().parse_args(COMMAND.split()[2:]))).scene(0)
    count = scene.sounding.sum(axis=1)
    assert len(scene.objects) == 3 and scene.sounding.any(axis=0).all()
    assert (count == 0).sum() == 1 and 2 in count and 1 in count
