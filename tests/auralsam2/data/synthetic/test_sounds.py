from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auralsam2.data.audio import SAMPLE_RATE, log_mel_examples
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import Scene, sample_scene
from auralsam2.data.synthetic.sounds import (
    FADE_SECONDS,
    NOISE_DB,
    render_sound,
    synthesise,
)


def solo(class_index: int, seed: int, x: float = 0.5) -> Scene:
    """Two seconds of one object at a place."""
    scene = sample_scene(np.random.default_rng(seed), 2, class_indices=[class_index])
    item = replace(scene.objects[0], centre=np.full((2, 2), (x, 0.5)))
    return replace(scene, objects=(item,), sounding=np.ones((2, 1), bool))


def render_float(scene: Scene, seed: int) -> np.ndarray:
    return render_sound(scene, np.random.default_rng([seed, 1])) / 32768.0


def spectra(seed: int, repeats: int = 3) -> np.ndarray:
    """(classes, 2 * repeats, 64) mean log-mel spectrum of every second, whatever its loudness."""
    found = []
    for index in range(len(CLASSES)):
        sounds = [render_float(solo(index, seed + r), seed + r) for r in range(repeats)]
        found.append([log_mel_examples(s, SAMPLE_RATE, 2).mean(axis=(1, 2)) for s in sounds])
    means = np.array(found).reshape(len(CLASSES), -1, 64)
    return (means - means.mean(axis=-1, keepdims=True)) / means.std(axis=-1, keepdims=True)


def test_mean_spectra_tell_the_classes_apart() -> None:
    centroids = spectra(seed=0).mean(axis=1)
    distance = np.linalg.norm(spectra(seed=100)[:, :, None] - centroids, axis=-1)
    right = distance.argmin(axis=-1) == np.arange(len(CLASSES))[:, None]
    assert right.mean() > 0.95


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.name)
def test_every_timbre_has_unit_loudness_and_varies(kind) -> None:
    first, again, other = (
        synthesise(kind.timbre, SAMPLE_RATE, np.random.default_rng(s)) for s in (0, 0, 1)
    )
    assert first.shape == (SAMPLE_RATE,)
    assert np.sqrt(np.mean(first**2)) == pytest.approx(1)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_the_louder_ear_is_on_the_objects_side() -> None:
    balances = []
    for x in (0.1, 0.3, 0.5, 0.7, 0.9):
        left, right = np.sqrt(np.mean(render_float(solo(0, 3, x), 3) ** 2, axis=0))
        balances.append(right / left)
    assert np.all(np.diff(balances) > 0)
    assert balances[0] < 0.8 < 0.95 < balances[2] < 1.05 < 1.25 < balances[4]


def test_a_silent_second_holds_the_background_noise_alone() -> None:
    sounding = np.array([[1, 0], [0, 0], [0, 1], [0, 0], [1, 0]], bool)
    scene = sample_scene(np.random.default_rng(2), class_indices=[0, 1])
    scene = replace(scene, sounding=sounding)
    mute = replace(scene, sounding=np.zeros_like(sounding))
    sound, noise = render_float(scene, 0), render_float(mute, 0)
    fade = int(FADE_SECONDS * SAMPLE_RATE)
    level = 20 * np.log10(np.sqrt(np.mean(noise**2)))
    assert NOISE_DB[0] - 0.5 < level < NOISE_DB[1] + 0.5
    for t in range(5):
        part = slice(t * SAMPLE_RATE + fade, (t + 1) * SAMPLE_RATE)
        if sounding[t].any():
            assert np.mean(sound[part] ** 2) > 2 * np.mean(noise[part] ** 2)
        else:
            np.testing.assert_array_equal(sound[part], noise[part])


def test_loudness_does_not_tell_the_size() -> None:
    scene = solo(0, 5)
    item = scene.objects[0]
    larger = replace(scene, objects=(replace(item, radius=item.radius * 1.5),))
    np.testing.assert_array_equal(render_float(scene, 5), render_float(larger, 5))


def test_nothing_clips() -> None:
    scenes = [solo(i, seed, x=0.02) for i in range(len(CLASSES)) for seed in range(6)]
    scenes += [sample_scene(np.random.default_rng([1, i])) for i in range(10)]
    peaks = [np.abs(render_float(s, n)).max() for n, s in enumerate(scenes)]
    assert max(peaks) < 0.999
