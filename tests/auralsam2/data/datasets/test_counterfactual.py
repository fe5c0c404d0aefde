"""Controls with another sound: what is heard, and that nothing else changes."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from auralsam2.counterfactuals import kinds
from auralsam2.data.audio import LOG_OFFSET, log_mel_examples, read_waveform
from auralsam2.data.clip_contents import ClipContents, read_contents
from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.guarded import Guarded
from auralsam2.data.datasets.partner_audio import AudioOffscreen, AudioSwapped
from auralsam2.data.problems import DataError
from auralsam2.data.synthetic.writer import Plan, write_clips
from auralsam2.registry import DATASETS

from .conftest import NODE, plain

KINDS = ("silence", "noise", "offscreen", "swapped")
every_kind = pytest.mark.parametrize("kind", KINDS)


def build(kind: str, root: Path, node: Any = NODE, **settings: Any) -> Any:
    return DATASETS.build(
        dict(type=kinds()[kind], dataset=node, **settings), root=str(root), image_size=16
    )


@every_kind
def test_only_the_sound_is_another(root: Path, kind: str) -> None:
    real, control = plain(root), build(kind, root)
    assert control.clips == real.clips and len(control) == len(real) == 6
    assert control.label_source == real.label_source
    for i in (0, 3, -1):
        own, other = real[i], control[i]
        assert own.keys() == other.keys() and own["clip"] == other["clip"]
        for key in ("frames", "masks", "native_masks", "supervised"):
            assert torch.equal(own[key], other[key])
        assert other["log_mel"].shape == own["log_mel"].shape
        assert other["log_mel"].dtype == own["log_mel"].dtype
        assert not torch.equal(own["log_mel"], other["log_mel"])
        assert torch.equal(own["log_mel"], real[i]["log_mel"]), "the data set was written to"


@every_kind
def test_sounds_hang_on_the_seed_and_the_clip(root: Path, kind: str) -> None:
    first, again, other = (build(kind, root, seed=s) for s in (0, 0, 1))
    for i in range(6):
        assert torch.equal(first[i]["log_mel"], again[i]["log_mel"])
    assert first.fingerprint() == again.fingerprint()
    differs = any(not torch.equal(first[i]["log_mel"], other[i]["log_mel"]) for i in range(6))
    assert differs == (first.fingerprint() != other.fingerprint()) == (kind != "silence")


def test_fingerprints_differ_between_kinds(root: Path) -> None:
    prints = [plain(root).fingerprint(), *(build(kind, root).fingerprint() for kind in KINDS)]
    prints.append(build("noise", root, level_db=-30).fingerprint())
    assert len(set(prints)) == len(prints)


@every_kind
@pytest.mark.parametrize("num_workers", [0, 2])
def test_workers_hear_the_same(root: Path, kind: str, num_workers: int) -> None:
    control = Guarded(build(kind, root))
    loader = DataLoader(control, 2, num_workers=num_workers, collate_fn=collate_clips)
    heard = torch.cat([batch["log_mel"] for batch in loader])
    assert torch.equal(heard, torch.stack([control[i]["log_mel"] for i in range(6)]))
    assert pickle.loads(pickle.dumps(control)).clips == control.clips


def test_noise_does_not_hang_on_the_number_of_threads(root: Path) -> None:
    before, heard = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            heard.append([build("noise", root)[i]["log_mel"] for i in range(6)])
    finally:
        torch.set_num_threads(before)
    for others in heard[1:]:
        assert all(map(torch.equal, heard[0], others))


@every_kind
def test_a_clip_that_is_left_out_changes_no_other(root: Path, tmp_path: Path, kind: str) -> None:
    damaged = Path(shutil.copytree(root, tmp_path / "clips"))
    whole = build(kind, damaged)
    expected = {whole.clips[i]: whole[i]["log_mel"] for i in range(6)}
    (damaged / "v1m" / whole.clips[1] / "frames" / "1.jpg").write_bytes(b"no picture")
    control = Guarded(build(kind, damaged), on_corrupt="skip")
    # A partner lends its sound, and that can be read.
    assert control.clips == [clip for clip in whole.clips if clip != whole.clips[1]]
    for i, clip in enumerate(control.clips):
        assert torch.equal(control[i]["log_mel"], expected[clip])


def test_silence_is_what_the_front_end_makes_of_zeros(root: Path) -> None:
    heard = build("silence", root)[0]["log_mel"]
    assert torch.equal(heard, torch.full_like(heard, float(np.log(LOG_OFFSET))))
    computed = log_mel_examples(np.zeros((3 * 16_000, 2)), 16_000, 3)
    assert np.array_equal(heard.numpy(), computed)


def test_noise_is_as_loud_as_the_clip(root: Path) -> None:
    real, noise = plain(root), build("noise", root)
    for i in range(6):
        own, heard = real[i]["log_mel"], noise[i]["log_mel"]
        level = (heard.exp() - LOG_OFFSET).mean() / (own.exp() - LOG_OFFSET).mean()
        assert float(level) == pytest.approx(1, rel=1e-4)
        # White: no band is much louder than its width and the draw have it.
        assert (heard.mean(dim=(0, 1, 2)).diff().abs() < 0.5).all()
        assert torch.equal(heard[:, 0], heard[:, 1])
    assert not torch.equal(noise[0]["log_mel"], noise[1]["log_mel"])


def test_noise_at_a_stated_level(root: Path) -> None:
    quiet, loud = (build("noise", root, level_db=db)[0]["log_mel"] for db in (-40, -20))
    ratio = (loud.exp() - LOG_OFFSET) / (quiet.exp() - LOG_OFFSET)
    assert torch.allclose(ratio, torch.full_like(ratio, 10.0), rtol=1e-3)
    # Computed from a waveform of that level, no number of it is scaled afterwards.
    samples = np.random.default_rng(0).standard_normal((3 * 16_000, 1)) / 10
    direct = torch.from_numpy(log_mel_examples(samples, 16_000, 3))
    assert float(loud.mean()) == pytest.approx(float(direct.mean()), abs=0.02)
    with pytest.raises(ValueError, match="at most 0 dB"):
        build("noise", root, level_db=3)


@pytest.mark.parametrize("waveform_rate", [None, 8_000])
def test_what_fills_a_clip_up_does_not_count_in_its_level(
    root: Path, waveform_rate: int | None
) -> None:
    padded, levels = dict(type="PaddedClips", num_frames=7, dataset=NODE), []
    for node, num_frames in ((NODE, 3), (padded, 7)):
        heard = build("noise", root, node, waveform_rate=waveform_rate)[0]["log_mel"]
        assert len(heard) == num_frames
        of_log_mels = waveform_rate is None
        levels.append(float((heard.exp() - LOG_OFFSET).mean() if of_log_mels else heard.std()))
    assert levels[1] == pytest.approx(levels[0], rel=0.01)


def test_noise_in_place_of_silence_is_silent(root: Path) -> None:
    control = build("noise", root)
    silence = torch.full((3, 2, 96, 64), float(np.log(LOG_OFFSET)))
    assert torch.allclose(control.hear(0, silence), silence, atol=1e-5)


def test_offscreen_sounds_are_of_classes_that_are_not_drawn(root: Path) -> None:
    control = build("offscreen", root)
    contents = read_contents(control.dataset)
    silent = 0
    for own, partner in enumerate(control.partners):
        assert contents[partner].heard and not contents[partner].heard & contents[own].seen
        silent += bool(contents[own].seen - contents[own].heard)
        samples, rate = read_waveform(control.dataset.files[partner].audio)
        computed = torch.from_numpy(log_mel_examples(samples, rate, 3))
        assert torch.equal(control[own]["log_mel"], computed)
    assert silent, "no clip shows a silent object: the test tells nothing"


def test_swapped_sounds_may_be_of_silent_objects_in_view(root: Path) -> None:
    control = build("swapped", root)
    contents = read_contents(control.dataset)
    pairs = [(contents[i], contents[j]) for i, j in enumerate(control.partners)]
    assert all(partner.heard for _, partner in pairs)
    assert not any(own.heard & partner.heard for own, partner in pairs)
    assert any(own.seen & partner.heard for own, partner in pairs)


def test_real_labels_name_what_is_seen(root: Path, tmp_path: Path) -> None:
    real = Path(shutil.copytree(root, tmp_path / "clips"))
    (real / "synthetic.json").unlink()
    control = build("offscreen", real)
    sources = [clip.sources for clip in control.dataset.files]
    assert not any(sources[i] & sources[j] for i, j in enumerate(control.partners))


def test_ref_avs(tmp_path: Path) -> None:
    path, node = tmp_path / "clips", dict(type="RefAVSDataset", split="test_s")
    write_clips(path, Plan("ref_avs", (1, 1, 2, 1, 1), seed=2, size=24, num_frames=3, unseen=3))
    truth = path / "synthetic.json"
    drawn = {clip["uid"]: clip for clip in json.loads(truth.read_text())["clips"]}
    real = plain(path, node)
    for expression, content in zip(real.expressions, read_contents(real)):
        assert content.heard <= content.seen == set(drawn[expression.video]["objects"])
    for kind in ("silence", "noise", "swapped"):
        other = build(kind, path, node)[0]
        assert other["text"] == real[0]["text"]
        assert not torch.equal(other["log_mel"], real[0]["log_mel"])
    truth.unlink()
    with pytest.raises(ValueError, match="RefAVSDataset does not tell which classes"):
        build("offscreen", path, node)


def test_the_object_release_hears_pickles_or_is_refused(object_root: Path) -> None:
    node = dict(type="AVSBenchObjectDataset", subset="v1m", split="train")
    for kind in ("silence", "noise"):
        assert build(kind, object_root, node)[0]["log_mel"].shape == (5, 2, 96, 64)
    with pytest.raises(ValueError, match="does not tell which classes"):
        build("offscreen", object_root, node)
    with pytest.raises(ValueError, match=r"has no partner .*evaluation\.counterfactuals"):
        build("offscreen", object_root, {**node, "subset": "v1s"})


def test_no_clip_is_its_own_partner(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unseen = ClipContents(heard=frozenset({"dog"}), seen=frozenset())
    module = "auralsam2.data.datasets.partner_audio.read_contents"
    monkeypatch.setattr(module, lambda dataset: [unseen] * len(dataset))
    for seed in range(5):
        partners = AudioOffscreen(plain(root), root=str(root), seed=seed).partners
        assert all(own != partner for own, partner in enumerate(partners))


def shortened(root: Path, count: int) -> Any:
    """The split, of whose first clips two frames of three are left."""
    dataset = plain(root)
    for i, clip in enumerate(dataset.files[:count]):
        dataset.files[i] = clip._replace(frames=clip.frames[:2], labels=clip.labels[:2])
    return dataset


def test_a_longer_partner_is_cut_where_none_of_the_length_is_there(root: Path) -> None:
    control = AudioSwapped(shortened(root, 1), root=str(root))
    partner = control.partners[0]
    assert len(control.dataset.files[0].frames) == 2 < len(control.dataset.files[partner].frames)
    assert torch.equal(control[0]["log_mel"], control.dataset[partner]["log_mel"][:2])
    assert all(len(control.dataset.files[j].frames) == 3 for j in control.partners[1:])


def test_a_shorter_partner_is_none(root: Path) -> None:
    told = rf"'{plain(root).clips[-1]}' \(.*\) has no partner of its length or longer"
    with pytest.raises(ValueError, match=told):
        build("swapped", root, shortened(root, 5))


def test_a_recording_that_lacks_seconds_is_named(root: Path) -> None:
    control = build("swapped", root)
    control.dataset.log_mel = lambda index: torch.zeros(2, 2, 96, 64)
    with pytest.raises(DataError, match="has 2 examples, and .* has 3 frames"):
        control[0]


def test_a_data_set_without_files_has_silence_and_noise() -> None:
    class Bare:
        clips = ("a",)

        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"clip": "a", "log_mel": torch.zeros(4, 2, 96, 64)}

    for kind in ("silence", "noise"):
        assert build(kind, Path("."), Bare())[0]["log_mel"].shape == (4, 2, 96, 64)
    for kind in ("swapped", "offscreen"):
        with pytest.raises(ValueError, match="Bare has no `files`"):
            build(kind, Path("."), Bare())


@every_kind
def test_waveforms_are_exchanged_with_the_log_mels(root: Path, kind: str) -> None:
    """What is heard as samples is what is heard as log-mels, up to how loud noise is."""
    node = dict(type="WithWaveform", dataset=NODE)
    real, control = plain(root, node), build(kind, root, node)
    own, other = real[2], control[2]
    assert torch.equal(own["log_mel"], plain(root)[2]["log_mel"])
    samples, rate = read_waveform(real.files[2].audio)
    assert own["waveform"].rate == rate
    np.testing.assert_allclose(own["waveform"].samples, samples.mean(axis=1), atol=1e-6)
    heard = other["waveform"]
    assert len(heard.samples) == len(own["waveform"].samples)
    if kind == "silence":
        assert not heard.samples.any()
    elif kind == "noise":
        level, expected = (w.samples.square().mean().sqrt() for w in (heard, own["waveform"]))
        torch.testing.assert_close(level, expected, rtol=0.02, atol=0)
        assert torch.equal(heard.samples, control[2]["waveform"].samples)
    else:
        partner = real[control.partners[2]]
        assert torch.equal(heard.samples, partner["waveform"].samples)
        assert torch.equal(other["log_mel"], partner["log_mel"])


def test_waveforms_of_a_batch_keep_their_lengths(root: Path) -> None:
    data = plain(root, dict(type="WithWaveform", dataset=NODE))
    batch = collate_clips([data[0], data[1]])
    assert [type(w).__name__ for w in batch["waveform"]] == ["Waveform"] * 2
    assert data.fingerprint() == plain(root).fingerprint()


@every_kind
def test_an_encoder_of_samples_hears_the_same_kinds_of_sound(root: Path, kind: str) -> None:
    given = dict(root=str(root), image_size=16, waveform_rate=8_000, channels="mean")
    real = DATASETS.build(NODE, **given)
    control = DATASETS.build(dict(type=kinds()[kind], dataset=NODE), **given)
    own, other = real[0]["log_mel"], control[0]["log_mel"]
    assert own.shape == other.shape == (3, 1, 8_000) and own.dtype == other.dtype
    assert own.any() and not torch.equal(own, other)
    if kind == "silence":
        assert not other.any()
    elif kind == "noise":
        level = own.square().mean().sqrt()
        torch.testing.assert_close(other.square().mean().sqrt(), level, rtol=0.03, atol=0)
        assert torch.equal(other, control[0]["log_mel"]), "drawn anew"
    else:
        assert torch.equal(other, real.log_mel(control.partners[0]))
