"""Masks of an untrained model on tiny clips: made, kept, read back, refused."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from analysis.clips import masks as module
from analysis.clips.masks import clip_masks, encode_sound
from auralsam2 import config as configs
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.engine import run_record


@pytest.fixture(scope="module")
def made(
    write_scored: Callable[..., object],
    tmp_path_factory: pytest.TempPathFactory,
    tiny_model: dict[str, object],
) -> tuple[Path, dict]:
    """A run that trained nothing, and masks of its last and first clip; its data are gone."""
    folder = tmp_path_factory.mktemp("masks")
    write_clips(folder / "clips", Plan("v1m", (1, 1, 3), seed=2, size=48, num_frames=2))
    run_dir = folder / "run"
    write_scored(run_dir, {})
    cfg = configs.load("auralsam2/mini_v1m", tiny_model | {"data.root": str(folder / "nowhere")})
    configs.dump(cfg, run_dir / "config.py")
    clips = sorted(path.name for path in (folder / "clips/v1m").iterdir())[-3:]
    root = {"data.root": str(folder / "clips")}
    masks = clip_masks(run_dir, [clips[2], clips[0]], overrides=root)
    with pytest.raises(ValueError, match="no clip nobody in split 'test'"):
        clip_masks(run_dir, ["nobody"], overrides=root)
    shutil.rmtree(folder / "clips")
    return run_dir, masks


def test_masks_have_sound_and_scores(made: tuple[Path, dict]) -> None:
    _, masks = made
    for clip, one in masks.items():
        assert one.clip == clip and one.frames.shape[0] == 2 and one.frames.dtype == np.uint8
        assert one.truth.shape == one.prediction.shape and one.log_mel.shape == (2, 96, 64)
        samples, rate = soundfile.read(io.BytesIO(one.sound))
        assert len(samples) == 2 * rate and np.abs(samples).max() > 0.01
        pairs = list(zip(one.truth > 0, one.prediction > 0))
        if all(truth.any() for truth, _ in pairs):
            iou = np.mean([(t & p).sum() / (t | p).sum() for t, p in pairs])
            assert one.scores["J"] == pytest.approx(iou, abs=1e-4)


def test_what_is_kept_needs_no_data(made: tuple[Path, dict]) -> None:
    run_dir, masks = made
    first, last = masks
    again = clip_masks(run_dir, [last, first])
    assert list(again) == [last, first]
    for clip, one in again.items():
        assert one.sound == masks[clip].sound and one.scores == masks[clip].scores
        for name in ("frames", "truth", "prediction", "log_mel"):
            np.testing.assert_array_equal(getattr(one, name), getattr(masks[clip], name))


def test_other_clips_settings_or_a_second_time_need_the_data(made: tuple[Path, dict]) -> None:
    run_dir, masks = made
    clips = list(masks)
    for asked in (
        dict(clips=["other"]),
        dict(clips=clips, overrides={"evaluation.decode": "first"}),
        dict(clips=clips, again=True),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match="nowhere"):
            clip_masks(run_dir, **asked)
    assert clip_masks(run_dir, clips).keys() == masks.keys(), "a failure leaves what was there"


def test_masks_that_are_made_again_leave_those_of_other_clips(
    made: tuple[Path, dict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def predict(run_dir: Path, clips: list[str], *_: object) -> dict:
        asked.append(clips)
        return {clip: made[1][clip] for clip in clips}

    asked: list[list[str]] = []
    monkeypatch.setattr(module, "_predict", predict)
    run_dir = shutil.copytree(made[0], tmp_path / "run")
    first, last = made[1]
    clip_masks(run_dir, [first], again=True)
    assert clip_masks(run_dir, [last]).keys() == {last} and asked == [[first]]


def keep(run_dir: Path, split: str, score: float) -> None:
    """Keep masks of a clip ``a`` in a run's folder."""
    arrays = (np.zeros((1, 2, 2, 3), np.uint8), *np.zeros((2, 1, 2, 2)), np.zeros((1, 96, 64)))
    kept = {"a": module.ClipMasks("a", *arrays, None, {"J": score})}
    masks = module._SplitMasks(split)
    masks.write(run_dir, masks.settings(run_dir, {}), kept)


def test_every_split_has_masks_of_its_own(tmp_path: Path) -> None:
    run_record.write(run_record.RunRecord(status="done"), tmp_path)
    for number, split in enumerate(("test", "test_audio_swapped")):
        keep(tmp_path, split, float(number))
    for number, split in enumerate(("test", "test_audio_swapped")):
        assert clip_masks(tmp_path, ["a"], split=split)["a"].scores == {"J": number}


def test_scores_other_than_recorded_carry_a_warning() -> None:
    masks = module.ClipMasks("a", *[np.zeros(1)] * 4, None, {"J": 0.5})
    assert module.score_warning(masks, "J", 0.503) == ""
    assert module.score_warning(masks, "F", 0.9) == "" == module.score_warning(masks, "J", None)
    assert "score J 0.500, the run recorded 0.700" in module.score_warning(masks, "J", 0.7)


def test_trained_weights_that_are_gone_are_not_replaced_by_untrained_ones(tmp_path: Path) -> None:
    record = run_record.RunRecord(status="done", num_parameters={"total": 5, "trainable": 2})
    run_record.write(record, tmp_path)
    with pytest.raises(FileNotFoundError, match="the trained weights are gone"):
        clip_masks(tmp_path, ["a"])


def test_masks_outlive_the_weights_but_not_other_weights(tmp_path: Path) -> None:
    record = run_record.RunRecord(status="done", num_parameters={"total": 5, "trainable": 2})
    run_record.write(record, tmp_path)
    weights = tmp_path / "best.safetensors"
    weights.write_bytes(b"one")
    keep(tmp_path, "test", np.nan)
    assert np.isnan(clip_masks(tmp_path, ["a"])["a"].scores["J"])
    assert clip_masks(tmp_path, ["a"])["a"].sound is None
    weights.write_bytes(b"two")
    with pytest.raises(FileNotFoundError, match="config.py"):
        clip_masks(tmp_path, ["a"])
    weights.unlink()
    assert list(clip_masks(tmp_path, ["a"])) == ["a"]


def test_mono_16_khz_without_loss_and_no_longer_than_the_frames(tmp_path: Path) -> None:
    left = 0.5 * np.sin(np.arange(4 * 16_000) * 0.05)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -left / 2], 1), 16_000, subtype="PCM_24")
    samples, rate = soundfile.read(io.BytesIO(encode_sound(tmp_path / "a.wav", 3)))
    assert rate == 16_000 and samples.shape == (3 * 16_000,)
    np.testing.assert_allclose(samples, left[: 3 * 16_000] / 4, atol=2**-15)


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(44_100), 44_100)
    assert len(soundfile.read(io.BytesIO(encode_sound(tmp_path / "a.flac", 5)))[0]) == 16_000


def test_a_missing_recording_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no sound file"):
        encode_sound(tmp_path / "a.wav", 1)
