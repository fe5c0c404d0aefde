"""Clips under corruptions: what changes, what stays, and what the draws hang on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auralsam2.data.audio import log_mel_examples, read_waveform
from auralsam2.data.clip_contents import ClipContents, read_contents
from auralsam2.data.corruptions.base import CORRUPTIONS
from auralsam2.data.datasets import corrupted as module
from auralsam2.data.datasets.corrupted import CorruptedClips
from auralsam2.data.datasets.wrapped import ChosenClips
from auralsam2.registry import DATASETS

from ..trees import same_item
from .conftest import NODE, plain

EVERY = pytest.mark.parametrize("name", CORRUPTIONS.names())


def corrupt(dataset: Any, name: str, strength: float | None = None, **how: Any) -> CorruptedClips:
    corruption = CORRUPTIONS.build(dict(type=name))
    return CorruptedClips(
        dataset, corruption, corruption.usual[-1] if strength is None else strength, **how
    )


@EVERY
def test_sound_or_pictures_change_and_nothing_else(root: Path, name: str) -> None:
    dataset = plain(root)
    worse = corrupt(dataset, name)
    changed = "frames" if worse.corruption.seen else "log_mel"
    assert worse.clips == dataset.clips and len(worse) == 6
    for i in (0, 3, -1):
        own, other = dataset[i], worse[i]
        assert same_item(own, other, changed) and not torch.equal(own[changed], other[changed])
        assert own[changed].shape == other[changed].shape
        assert own[changed].dtype == other[changed].dtype
        assert same_item(other, worse[i])
    clean = corrupt(dataset, name, worse.corruption.clean)
    assert all(same_item(clean[i], dataset[i]) for i in range(6))


@EVERY
def test_draws_hang_on_the_clip_and_the_seed_alone(root: Path, name: str) -> None:
    whole = corrupt(plain(root), name)
    part = corrupt(plain(root), name)
    one = ChosenClips(part, [part.clips[4]])[0]
    assert same_item(one, whole[4])


def test_noise_is_that_of_the_clip_and_the_seed(root: Path) -> None:
    dataset = plain(root)
    heard = [corrupt(dataset, "WhiteNoise", seed=seed)[0]["log_mel"] for seed in (0, 0, 1)]
    assert torch.equal(heard[0], heard[1]) and not torch.equal(heard[0], heard[2])


def test_sound_is_corrupted_before_the_front_end(root: Path) -> None:
    dataset = plain(root, dict(type="WithWaveform", dataset=NODE))
    item = corrupt(dataset, "Gain", -20.0)[0]
    samples, rate = read_waveform(dataset.files[0].audio)
    wanted = log_mel_examples(0.1 * samples, rate, 3)
    assert np.array_equal(item["log_mel"].numpy(), wanted)
    np.testing.assert_allclose(item["waveform"].samples, 0.1 * samples.mean(axis=1), atol=1e-7)


def test_an_ear_of_samples_hears_the_corruption_at_its_rate(root: Path) -> None:
    dataset = DATASETS.build(NODE, root=str(root), image_size=16, waveform_rate=8000)
    own, louder = dataset[0]["log_mel"], corrupt(dataset, "Gain", 20.0)[0]["log_mel"]
    assert own.shape == (3, 2, 8000)
    torch.testing.assert_close(louder, 10 * own, atol=1e-5, rtol=1e-4)


def test_a_share_is_that_of_the_frames_where_a_recording_is_longer(root: Path) -> None:
    dataset = plain(root, dict(type="WithWaveform", dataset=NODE))
    dataset.files[0] = dataset.files[0]._replace(frames=dataset.files[0].frames[:2])
    samples, rate = read_waveform(dataset.files[0].audio)
    assert len(samples) == 3 * rate
    item = corrupt(dataset, "PartialSilence", 0.5)[0]
    silent = int((item["waveform"].samples == 0).sum())
    assert len(item["waveform"].samples) == 2 * rate and rate <= silent < 1.01 * rate


def test_silence_all_over_is_the_control_of_silence(root: Path) -> None:
    silence = DATASETS.build(dict(type="AudioSilence", dataset=NODE), root=str(root), image_size=16)
    worse = corrupt(plain(root), "PartialSilence", 1.0)
    assert all(same_item(worse[i], silence[i]) for i in range(6))


def test_frames_that_fill_a_clip_up_stay(root: Path) -> None:
    dataset = plain(root, dict(type="PaddedClips", dataset=NODE, num_frames=5))
    for name, key in (("WhiteNoise", "log_mel"), ("Blur", "frames")):
        own, other = dataset[0][key], corrupt(dataset, name)[0][key]
        assert torch.equal(own[3:], other[3:]) and not torch.equal(own[:3], other[:3])


def test_sounds_of_other_clips_are_of_nothing_in_view(root: Path) -> None:
    dataset = plain(root)
    worse, contents = corrupt(dataset, "Babble"), read_contents(dataset)
    for own, others in zip(contents, worse._others, strict=True):
        assert others == [
            j for j, other in enumerate(contents) if other.heard and not (other.heard & own.seen)
        ]
        assert others


def test_where_no_other_clip_will_do_it_says_so(root: Path, monkeypatch: Any) -> None:
    same_class = [ClipContents(frozenset({"dog"}), frozenset({"dog"}))] * 6
    monkeypatch.setattr(module, "read_contents", lambda dataset: same_class)
    dataset = plain(root)
    for name in ("OtherSound", "Babble"):
        with pytest.raises(ValueError, match=f"6 clips, '{dataset.clips[0]}' first.*leave {name}"):
            corrupt(dataset, name).check()
    corrupt(dataset, "WhiteNoise").check()
    with pytest.raises(ValueError, match="list does not tell files of its clips"):
        corrupt([], "Gain")


def test_log_mels_without_a_waveform_are_refused(object_root: Path) -> None:
    node = dict(type="AVSBenchObjectDataset", subset="v1m", split="train")
    dataset = plain(object_root, node)
    with pytest.raises(ValueError, match=r"cannot decode .*\.pkl'"):
        corrupt(dataset, "Gain").check()
    corrupt(dataset, "Blur").check()
    corrupt(plain(object_root, node | {"audio": "wav"}), "Gain").check()
