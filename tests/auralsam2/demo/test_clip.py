"""A clip as browsers show it: small pictures, sound from its beginning to its end."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

from auralsam2.data.frame_source import PictureSequence
from auralsam2.demo.clip import ShownFrames, extract_sound, shown_size, shrink


def test_frames_are_no_larger_than_a_page_and_keep_their_shape() -> None:
    assert shown_size(224, 224) == (224, 224)
    assert shown_size(2160, 3840) == (540, 960)
    assert shown_size(1921, 1080) == (960, 540)
    assert shown_size(1, 5000) == (1, 960)


def test_a_frame_is_made_once_in_its_colours(tmp_path: Path) -> None:
    pictures = np.zeros((2, 600, 1920, 3), np.uint8)
    pictures[1, ..., 0] = 200
    frames = ShownFrames(PictureSequence(list(pictures)), tmp_path / "frames")
    path = frames.jpeg(1)
    shown = cv2.imread(str(path))
    assert shown.shape == (300, 960, 3)
    assert np.abs(shown.reshape(-1, 3).mean(0) - [0, 0, 200]).max() < 3  # blue, green, red
    made = path.stat().st_mtime_ns
    assert frames.jpeg(1) == path and path.stat().st_mtime_ns == made
    with pytest.raises(ValueError, match="no frame 2, the clip has 2"):
        frames.jpeg(2)


def test_pixels_that_are_not_square_are_on_the_page(tmp_path: Path) -> None:
    frames = PictureSequence([np.zeros((40, 30, 3), np.uint8)])
    assert ShownFrames(frames, tmp_path / "wide", Fraction(4, 3)).size == (40, 40)
    assert ShownFrames(frames, tmp_path / "tall", Fraction(1, 2)).size == (40, 15)
    mask = np.eye(2, dtype=bool)
    assert np.array_equal(
        shrink(mask, (2, 4)), [[True, True, False, False]] + [[False, False, True, True]]
    )


def test_late_sound_stays_late_and_ends_with_the_pictures(tmp_path: Path, write_video: Any) -> None:
    source = write_video(tmp_path / "a.mkv", seconds=3, delay=0.5)
    sound = extract_sound(source, 2.5, tmp_path / "sound.wav")
    samples, rate = soundfile.read(sound.path)
    assert (rate, samples.shape, sound.problem) == (22_050, (round(2.5 * rate),), "")
    begins = np.flatnonzero(np.abs(samples) > 0.1)[0] / rate
    assert begins == pytest.approx(1.5, abs=0.02)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.03)  # the mean of 0.4 and 0.2
    heard = np.flatnonzero(np.array(sound.peaks) > 0.1) / len(sound.peaks) * 2.5
    assert heard[0] == pytest.approx(1.5, abs=0.02) and heard[-1] == pytest.approx(2.5, abs=0.02)


def test_a_mask_shrinks_to_the_size_on_the_page() -> None:
    mask = np.zeros((4, 6), bool)
    mask[:2, 3:] = True
    assert np.array_equal(shrink(mask, (2, 2)), [[False, True], [False, False]])
    assert shrink(mask, (4, 6)) is mask
