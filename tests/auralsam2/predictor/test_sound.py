import numpy as np
import pytest
import soundfile

from auralsam2.data.audio import log_mel_examples, read_waveform
from auralsam2.predictor.sound import Listening, Sound


@pytest.mark.parametrize("rule", ["published", "released", "zero_padded"])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_examples_are_those_of_a_clip_that_is_cut_there(tmp_path, heard, rule, rate) -> None:
    samples, _ = heard(10, rate)
    soundfile.write(tmp_path / "all.wav", samples, rate)
    soundfile.write(tmp_path / "cut.wav", samples[5 * rate :], rate)
    expected = log_mel_examples(*read_waveform(tmp_path / "cut.wav"), 5, rule)
    found = Sound(tmp_path / "all.wav", Listening(rule)).examples(5, 5)
    np.testing.assert_array_equal(found, expected)


def test_behind_its_end_a_sound_is_silent(tmp_path, heard) -> None:
    samples, rate = heard(2.5)
    soundfile.write(tmp_path / "short.wav", samples, rate)
    for source in (tmp_path / "short.wav", (samples, rate)):
        sound = Sound(source, Listening())
        late = sound.examples(3, 2)
        assert late.shape == (2, 2, 96, 64)
        np.testing.assert_allclose(late, np.log(0.01), atol=1e-6)
        assert sound.examples(0, 5)[:2].min() > np.log(0.01) + 0.05


def test_samples_are_checked() -> None:
    for samples in (np.zeros(0), np.zeros((2, 2, 2)), np.zeros(9, dtype=np.int16)):
        with pytest.raises(ValueError, match="wanted floats"):
            Sound((samples, 16_000), Listening())


def test_where_the_released_rule_gives_too_few_the_last_one_stands_in(heard) -> None:
    found = Sound(heard(7.2), Listening("released")).examples(0, 10)
    assert found.shape == (10, 2, 96, 64)
    assert not np.array_equal(found[5], found[6])
    assert all(np.array_equal(found[6], late) for late in found[7:])


def test_an_encoder_of_samples_gets_those_of_the_seconds(heard) -> None:
    samples, rate = heard(3.5)
    found = Sound((samples, rate), Listening(channels="mean", waveform_rate=rate)).examples(1, 4)
    assert found.shape == (4, 1, rate) and not found[3].any()
    joined = found.ravel()[: len(samples) - rate]
    np.testing.assert_allclose(joined, samples.reshape(len(samples), -1).mean(1)[rate:], atol=1e-6)
