from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import save_file
from torch.utils.data import DataLoader

from auralsam2.data import log_mel_cache
from auralsam2.data.audio import log_mel_examples, read_waveform
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.log_mel_cache import LogMelCache
from auralsam2.data.problems import DataError


def write_noise(path: Path, seed: int = 0, seconds: float = 2.0) -> Path:
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (int(seconds * 16_000), 2))
    soundfile.write(path, noise, 16_000, subtype="PCM_16")
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write_noise(tmp_path / "audio.wav")


@pytest.fixture
def cache(tmp_path: Path) -> LogMelCache:
    return LogMelCache(tmp_path / "cache")


def entries(cache: LogMelCache) -> list[Path]:
    return [path for path in cache.folder.rglob("*") if path.is_file()]


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every computation."""
    calls: list[int] = []

    def count(samples, rate, num_frames, rule, channels):
        calls.append(num_frames)
        return log_mel_examples(samples, rate, num_frames, rule, channels)

    monkeypatch.setattr(log_mel_cache, "log_mel_examples", count)
    return calls


def test_the_second_reading_gives_the_same_bits_and_computes_nothing(
    cache: LogMelCache, sound: Path, computed: list[int]
) -> None:
    first, second = cache.examples(sound, 2), cache.examples(sound, 2)
    expected = log_mel_examples(*read_waveform(sound), 2)
    np.testing.assert_array_equal(first, expected)
    np.testing.assert_array_equal(second, expected)
    assert second.dtype == np.float32 and second.flags.writeable
    assert computed == [2] and len(entries(cache)) == 1


def test_an_entry_follows_the_content_and_not_the_name(
    cache: LogMelCache, sound: Path, computed: list[int]
) -> None:
    before = cache.examples(sound, 2)
    copy = Path(shutil.copy(sound, sound.with_name("copy.wav")))
    cache.examples(copy, 2)
    assert len(computed) == 1
    write_noise(sound, seed=1)
    assert np.abs(cache.examples(sound, 2) - before).max() > 0.1
    assert len(computed) == 2


def test_whatever_changes_the_numbers_has_an_entry_of_its_own(
    cache: LogMelCache, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = [(2, "published", "both"), (1, "published", "both")]
    settings += [(2, "released", "both"), (2, "published", "mean")]
    for num_frames, rule, channels in settings:
        got = cache.examples(sound, num_frames, rule, channels)
        expected = log_mel_examples(*read_waveform(sound), num_frames, rule, channels)
        np.testing.assert_array_equal(got, expected)
    monkeypatch.setattr(log_mel_cache, "FRONT_END", -1)
    cache.examples(sound, 2)
    assert len(entries(cache)) == len(settings) + 1


@pytest.mark.parametrize("shape", [(2, 64, 96), (2, 2, 96, 64)], ids=["other", "no checksum"])
def test_an_entry_of_others_is_computed_anew(
    cache: LogMelCache, sound: Path, computed: list[int], shape: tuple[int, ...]
) -> None:
    expected = cache.examples(sound, 2)
    (entry,) = entries(cache)
    save_file({"log_mel": np.zeros(shape, np.float32)}, str(entry))
    np.testing.assert_array_equal(cache.examples(sound, 2), expected)
    np.testing.assert_array_equal(cache.examples(sound, 2), expected)
    assert len(computed) == 2  # the entry was mended


def test_files_that_cannot_be_read_are_named_and_not_kept(
    cache: LogMelCache, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        cache.examples(tmp_path / "gone.wav", 2)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(ValueError, match=r"text\.wav"):
        cache.examples(tmp_path / "text.wav", 2)
    assert not cache.folder.exists()


def clips(root: Path, **options: Any) -> AVSBenchDataset:
    return AVSBenchDataset(str(root), "v1m", "val", image_size=32, cache=False, **options)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_data_set_reads_the_same_with_and_without_it(
    tiny_root: Path, cache: LogMelCache, num_workers: int
) -> None:
    plain, kept = clips(tiny_root), clips(tiny_root, log_mel_cache=str(cache.folder))
    assert plain.log_mel_cache is None
    for _ in range(2):
        loader = DataLoader(kept, batch_size=None, num_workers=num_workers)
        for expected, item in zip(plain, loader, strict=True):
            assert torch.equal(item["log_mel"], expected["log_mel"])
    assert len(entries(cache)) == len(plain)


def test_a_corrupt_recording_is_a_data_error(own_root: Path, cache: LogMelCache) -> None:
    dataset = clips(own_root, log_mel_cache=str(cache.folder))
    dataset.files[0].audio.write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"audio\.wav"):
        dataset[0]
