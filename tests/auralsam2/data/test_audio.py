from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from auralsam2.data import audio
from auralsam2.data.audio import log_mel_examples, log_mel_spectrogram, read_waveform

SILENCE = np.log(np.float32(0.01))
RATE = 16_000


def tone(seconds: float, ears: int = 2, rate: int = 16_000) -> np.ndarray:
    """(L, ears): a sweep whose pitch differs from second to second and ear to ear."""
    time = np.arange(int(seconds * rate)) / rate
    return np.stack([0.4 * np.sin(300 * (1 + e) * (1 + time) * time) for e in range(ears)], axis=1)


@pytest.mark.parametrize(
    ("case", "tolerance"),
    [
        ("stereo5s", 1e-4),
        ("short", 5e-3),
        ("mono", 5e-3),
        ("ten_seconds", 5e-3),
    ],
)
def test_released_rule_gives_the_released_numbers(audio_parity, case, tolerance) -> None:
    facts, arrays = audio_parity
    if case == "ten_seconds":
        half = arrays["stereo5s.waveform_int16"]
        waveform = np.concatenate([half, half[::-1]])
    else:
        waveform = arrays[f"{case}.waveform_int16"]
    samples = waveform.reshape(len(waveform), -1) / 32768.0
    expected = arrays[f"{case}.examples"].astype(np.float32)
    assert facts[case]["sample_rate"] == 16_000
    got = log_mel_examples(samples, 16_000, 5, rule="released")
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def test_other_rates_come_near_the_released_numbers(audio_parity) -> None:
    facts, arrays = audio_parity
    samples = arrays["resampled.waveform_int16"].reshape(-1, 1) / 32768.0
    got = log_mel_examples(samples, facts["resampled"]["sample_rate"], 5, rule="released")
    # The released code's resampling filter falls off from 7 kHz, where the last bands lie.
    difference = np.abs(got - arrays["resampled.examples"])[..., :61]
    assert difference.max() < 2e-2


@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.5, 4.96, 5.0, 9.3])
@pytest.mark.parametrize("num_frames", [1, 5])
def test_published_rule_gives_one_example_a_frame(seconds, num_frames) -> None:
    examples = log_mel_examples(tone(seconds), 16_000, num_frames)
    assert examples.shape == (num_frames, 2, 96, 64)
    assert examples.dtype == np.float32
    rows = max(0, (int(seconds * 16_000) - 400) // 160 + 1)
    heard = np.arange(num_frames)[:, None] * 100 + np.arange(96) < max(rows, 1)
    silent = np.isclose(examples, SILENCE).all(axis=(1, 3))
    np.testing.assert_array_equal(silent, ~heard)


@pytest.mark.parametrize("channels", [3, 6])
def test_silent_ears_beside_channels_with_sound_are_refused(channels: int) -> None:
    samples = np.zeros((16_000, channels))
    assert log_mel_examples(samples, 16_000, 1).max() == pytest.approx(SILENCE)
    samples[:, 2] = 0.1
    with pytest.raises(ValueError, match=f"{channels} channels, of which the first two"):
        log_mel_examples(samples, 16_000, 1)
    samples[:, 1] = 0.1  # one ear may hear nothing
    assert log_mel_examples(samples, 16_000, 1).shape == (1, 2, 96, 64)


def test_second_t_starts_at_row_100_t() -> None:
    samples = tone(5)
    examples = log_mel_examples(samples, 16_000, 5)
    for ear in range(2):
        rows = log_mel_spectrogram(samples[:, ear], 16_000)
        for t in range(4):
            np.testing.assert_allclose(examples[t, ear], rows[100 * t : 100 * t + 96], atol=1e-6)
    assert np.abs(examples[:, 0] - examples[:, 1]).max() > 1  # the ears are kept apart


@pytest.mark.parametrize("rule", ["published", "released"])
def test_mono_goes_to_both_ears_and_surplus_channels_are_left_out(rule) -> None:
    mono = log_mel_examples(tone(5, ears=1), 16_000, 5, rule)
    np.testing.assert_array_equal(mono[:, 0], mono[:, 1])
    many = log_mel_examples(tone(5, ears=4), 16_000, 5, rule)
    np.testing.assert_array_equal(many, log_mel_examples(tone(5), 16_000, 5, rule))


def test_missing_corrupt_and_empty_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        read_waveform(tmp_path / "gone.wav")
    (tmp_path / "text.wav").write_text("no sound at all")
    with pytest.raises(ValueError, match=r"cannot decode '.*text\.wav'"):
        read_waveform(tmp_path / "text.wav")
    (tmp_path / "zero.wav").touch()
    with pytest.raises(ValueError, match=r"zero\.wav"):
        read_waveform(tmp_path / "zero.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 16_000)
    with pytest.raises(ValueError, match=r"empty\.wav' holds no samples"):
        read_waveform(tmp_path / "empty.wav")


def test_released_rule_needs_one_whole_example() -> None:
    with pytest.raises(ValueError, match="too few for one example"):
        log_mel_examples(tone(0.9), 16_000, 5, rule="released")


def two_tones(rate: int) -> np.ndarray:
    """(5 s, 2): 440 Hz on the left, a sweep from 200 Hz up on the right."""
    time = np.arange(5 * rate) / rate
    left = 0.5 * np.sin(2 * np.pi * 440 * time)
    right = 0.25 * np.sin(2 * np.pi * (200 + 150 * time) * time)
    return np.stack([left, right], axis=1)


@pytest.mark.parametrize(
    ("rule", "rate", "expected"),
    [
        ("published", 16_000, [-1.733987, -3.037000, 1.970514, -2.277952, -3.117438]),
        ("released", 16_000, [-1.733987, -3.022292, -0.277181, -1.279866, -3.258401]),
        ("published", 44_100, [-1.733987, -3.037000, 1.970511, -2.277950, -3.117439]),
        ("released", 44_100, [-1.733955, -3.022280, -0.277147, -1.279834, -3.258353]),
    ],
)
def test_golden_numbers(rule: str, rate: int, expected: list[float]) -> None:
    examples = log_mel_examples(two_tones(rate), rate, 5, rule)
    places = [(0, 0, 10, 13), (2, 0, 50, 14), (4, 1, 90, 30), (1, 1, 40, 9), (3, 1, 0, 25)]
    np.testing.assert_allclose([examples[place] for place in places], expected, rtol=0, atol=1e-4)


def test_one_ear_hears_the_mean_of_all_channels() -> None:
    samples = tone(2, ears=3)
    both = log_mel_examples(samples, 16_000, 2)
    mean = log_mel_examples(samples, 16_000, 2, channels="mean")
    mono = log_mel_examples(samples.mean(axis=1, keepdims=True), 16_000, 2)
    assert mean.shape == (2, 1, 96, 64)
    np.testing.assert_array_equal(mean, mono[:, :1])
    assert np.abs(mean - both.mean(axis=1, keepdims=True)).max() > 0.2, "averaged before the log"


def test_examples_are_followed_by_zeros_up_to_the_frames() -> None:
    samples = tone(3.5)
    padded = log_mel_examples(samples, 16_000, 10, "zero_padded", "mean")
    released = log_mel_examples(samples, 16_000, 5, "released", "mean")
    assert padded.shape == (10, 1, 96, 64)
    np.testing.assert_array_equal(padded[:3], released[:3])
    assert not padded[3:].any() and (released[3:] == released[2]).all()


def test_unknown_settings_are_told_together() -> None:
    told = r"(?s)rule='x'; known: published, .*channels='y'; known: both, mean"
    with pytest.raises(ValueError, match=told):
        log_mel_examples(tone(1), 16_000, 1, rule="x", channels="y")


def sweep(seconds: float = 2.0, loudness: float = 0.4) -> np.ndarray:
    """(L, 2) samples on the grid of 16 bits, so that no format loses any."""
    return np.round(tone(seconds) * loudness / 0.4 * 32767) / 32768


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_16"),
        ("a.wav", "PCM_24"),
        ("a.wav", "PCM_32"),
        ("a.wav", "FLOAT"),
        ("a.wav", "DOUBLE"),
        ("a.flac", "PCM_16"),
        ("a.flac", "PCM_24"),
        ("a.aiff", "PCM_16"),
    ],
)
def test_every_format_means_the_same_loudness(tmp_path: Path, name: str, subtype: str) -> None:
    samples = sweep()
    soundfile.write(tmp_path / name, samples, RATE, subtype=subtype)
    got, rate = read_waveform(tmp_path / name)
    assert rate == RATE
    np.testing.assert_allclose(got, samples, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "format", "subtype"),
    [("a.mp3", "MP3", "MPEG_LAYER_III"), ("a.ogg", "OGG", "VORBIS")],
)
def test_lossy_formats_keep_the_loudness(tmp_path, name, format, subtype) -> None:
    samples = sweep()
    try:
        soundfile.write(tmp_path / name, samples, RATE, format=format, subtype=subtype)
    except (soundfile.SoundFileError, ValueError):
        pytest.skip(f"this libsndfile writes no {format}")
    got, rate = read_waveform(tmp_path / name)
    assert rate == RATE and got.shape[1] == 2
    ratio = got.std(axis=0) / samples.std(axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.05)


@pytest.mark.parametrize("full_scale", [32_768, 2**31])
def test_integers_that_were_written_as_floats_are_refused(tmp_path, full_scale) -> None:
    soundfile.write(tmp_path / "loud.wav", sweep() * full_scale, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"loud\.wav' holds float samples up to .* by full scale"):
        read_waveform(tmp_path / "loud.wav")


def test_a_little_above_full_scale_is_neither_clipped_nor_refused(tmp_path: Path) -> None:
    samples = sweep(loudness=0.9)
    soundfile.write(tmp_path / "hot.wav", samples * 1.5, RATE, subtype="FLOAT")
    got, _ = read_waveform(tmp_path / "hot.wav")
    assert np.abs(got).max() == pytest.approx(1.35, abs=1e-3)
    np.testing.assert_allclose(got, samples * 1.5, atol=1e-6)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    samples = sweep()
    samples[100, 1] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"nan\.wav' holds samples that are no numbers"):
        read_waveform(tmp_path / "nan.wav")


def test_a_damaged_wav_is_not_handed_to_ffmpeg(tmp_path: Path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "bad.wav").write_bytes(b"RIFF" + b"\0" * 100)
    with pytest.raises(ValueError, match=r"cannot decode '.*bad\.wav'"):
        read_waveform(tmp_path / "bad.wav")


def test_the_same_code_as_the_package_has() -> None:
    package = pytest.importorskip("torchvggish.vggish_params")
    params = audio.torchvggish_file("vggish_params")
    names = [name for name in vars(package) if name.isupper()]
    assert "NUM_MEL_BINS" in names
    assert all(getattr(params, name) == getattr(package, name) for name in names)


def test_spectrograms_import_neither_torch_nor_numba() -> None:
    program = (
        "import sys, numpy as np\n"
        "from auralsam2.data.audio import log_mel_spectrogram\n"
        "assert log_mel_spectrogram(np.zeros(16_000), 16_000).shape == (98, 64)\n"
        "print([name for name in ('torch', 'numba', 'resampy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "find_spec", lambda name: None)
    audio.torchvggish_file.cache_clear()
    with pytest.raises(ImportError, match="pip install torchvggish"):
        audio.torchvggish_file("mel_features")
