"""Ears of transformers: what of the second they hear, their folders, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.audio.transformers_ear import TransformersEar
from auralsam2.models.feature_cache import FeatureStore
from auralsam2.registry import AUDIO_ENCODERS

transformers: Any = pytest.importorskip("transformers", reason="needs the extra [text]")

EARS = [
    name
    for name in AUDIO_ENCODERS.names()
    if issubclass(AUDIO_ENCODERS.lookup(name), TransformersEar)  # type: ignore[arg-type]
]
# CLAP says of a sound one thing alone, and PE-Audio at random hears too little of it.
LOCAL = [name for name in EARS if name not in ("CLAPEncoder", "PEAudioEncoder")]
WIDTH = 64
T = 4


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> FeatureStore:
    """One of this test alone."""
    own = FeatureStore()
    monkeypatch.setattr(TransformersEar, "store", own)
    return own


def build(name: str, **arguments: Any) -> Any:
    arguments = {"random_weights": True, "channels": "mean", **arguments}
    return AUDIO_ENCODERS.build(dict(type=name, **arguments))


def sounds(rate: int, *seconds: int) -> Tensor:
    """(1, T, 1, R): faint noise, and a loud tone in some seconds."""
    heard = 1e-3 * torch.randn(1, T, 1, rate, generator=torch.Generator().manual_seed(0))
    tone = torch.sin(torch.arange(rate) * 2 * torch.pi * 440 / rate) * 0.5
    heard[:, list(seconds)] += tone
    return heard


def moved(encoder: Any, second: int) -> Tensor:
    """(T,) by how much each second's vector moves by a tone in one of them, as part of its size."""
    rate = encoder.waveform_rate
    before, after = encoder(sounds(rate)), encoder(sounds(rate, second))
    return ((after - before).norm(dim=-1) / before.norm(dim=-1))[0]


@torch.no_grad()
@pytest.mark.parametrize("name", EARS)
def test_a_tone_moves_the_vector_of_its_own_second_alone(name: str) -> None:
    encoder = build(name)
    assert encoder.out_channels == WIDTH
    change = moved(encoder, 2)
    assert change[2] > 1e-4 and torch.equal(change[[0, 1, 3]], torch.zeros(3))


@torch.no_grad()
@pytest.mark.parametrize("name", ["CLAPEncoder", "WavLMEncoder", "PEAudioEncoder"])
def test_with_context_it_moves_its_neighbours_too(name: str) -> None:
    change = moved(build(name, context_s=3.0), 0)
    assert (change[:2] > 1e-5).all() and torch.equal(change[2:], torch.zeros(2))


@torch.no_grad()
@pytest.mark.parametrize("name", LOCAL)
def test_tokens_are_in_order_of_time_and_their_mean_is_the_vector(name: str) -> None:
    encoder = build(name, tokens=4, channels="both")
    heard = sounds(encoder.waveform_rate).expand(-1, -1, 2, -1)
    tokens = encoder.hear(heard)
    assert tokens.shape == (1, T, 4, 2 * WIDTH)
    torch.testing.assert_close(encoder(heard), tokens.mean(dim=2))
    late = heard.clone()
    quarter = encoder.waveform_rate // 4
    late[:, 1, 0, -quarter:] = sounds(encoder.waveform_rate, 0)[:, 0, 0, -quarter:]
    change = (encoder.hear(late) - tokens)[0].abs().amax(-1)
    assert change[1].argmax() == 3 and not change[[0, 2, 3]].any()


@torch.no_grad()
def test_a_frozen_one_hears_every_clip_once_and_says_the_same(store: FeatureStore) -> None:
    heard = torch.cat([sounds(16_000), sounds(16_000, 1)]).expand(-1, -1, 2, -1)
    cached, plain = (
        build("WavLMEncoder", channels="both"),
        build("WavLMEncoder", channels="both", cache=False),
    )
    asked = 0
    encode = cached.encode

    def counted(ears: Tensor) -> Tensor:
        nonlocal asked
        asked += len(ears)
        return encode(ears)  # type: ignore[no-any-return]

    cached.encode = counted
    first = cached(heard)
    assert asked == 2, "both ears of a clip hear the same"
    assert torch.equal(cached(heard.flip(0)).flip(0), first) and asked == 2
    assert torch.equal(plain(heard), first) and torch.equal(cached(heard[1:])[0], first[1])
    assert store.used == 2 * T * WIDTH * 4
    assert not first.requires_grad and not cached.network.training
    other = build("WavLMEncoder", channels="both", context_s=3.0)
    assert not torch.equal(other(heard), first), "another context is another answer"


@pytest.mark.parametrize("name", EARS)
def test_a_tuned_one_learns_in_eval_mode_by_every_trained_weight(name: str) -> None:
    encoder = build(name, frozen=False).train()
    assert not encoder.network.training and encoder.cache is None
    heard = sounds(encoder.waveform_rate, 0)[:, :2]
    said = encoder(heard)
    assert torch.equal(said, encoder(heard))
    said.square().mean().backward()
    trained = {n: p for n, p in encoder.named_parameters() if p.requires_grad}
    assert trained and not [n for n, p in trained.items() if p.grad is None]
    assert not [n for n in trained if n.startswith(tuple(f"network.{u}" for u in encoder.unused))]


def _config(name: str) -> Any:
    kind = AUDIO_ENCODERS.lookup(name)
    return getattr(transformers, kind.config_class)(**kind.mini)


def _clap(audio: Any) -> Any:
    text = dict(
        vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, projection_dim=WIDTH,
    )  # fmt: skip
    config = transformers.ClapConfig(
        audio_config=audio.to_dict(), text_config=text, projection_dim=WIDTH
    )
    return transformers.ClapModel(config)


def _whisper(audio: Any) -> Any:
    config = transformers.WhisperConfig(
        **AUDIO_ENCODERS.lookup("WhisperEncoder").mini, decoder_layers=1, vocab_size=20,
        decoder_attention_heads=1, decoder_ffn_dim=8, pad_token_id=0, bos_token_id=0,
        eos_token_id=0, decoder_start_token_id=0,
    )  # fmt: skip
    return transformers.WhisperForConditionalGeneration(config)


def _pe_audio(audio: Any) -> Any:
    text = dict(
        vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1,
        sep_token_id=2,
    )  # fmt: skip
    return transformers.PeAudioModel(
        transformers.PeAudioConfig(text_config=text, audio_config=audio.to_dict())
    )


# As folders are published: the whole model, of which the ear is a part.
WHOLE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "ASTEncoder": (
        lambda c: transformers.ASTForAudioClassification(c),
        lambda m: m.audio_spectrogram_transformer,
    ),
    "CLAPEncoder": (_clap, lambda m: m.audio_model),
    "WhisperEncoder": (_whisper, lambda m: m.model.encoder),
    "WavLMEncoder": (lambda c: transformers.WavLMModel(c), lambda m: m),
    "HuBERTEncoder": (lambda c: transformers.HubertForCTC(c), lambda m: m.hubert),
    "PEAudioEncoder": (_pe_audio, lambda m: m.audio_encoder),
}


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path, Any]:
    """Name of an ear, a folder of its model without a front end, and the part that hears."""
    make, part = WHOLE[request.param]
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(3)
        model = make(_config(request.param))
    model.save_pretrained(tmp_path)
    return request.param, tmp_path, part(model)


@pytest.mark.parametrize("folder", EARS, indirect=True)
@torch.no_grad()
def test_a_folder_is_read_as_it_is_published(
    folder: tuple[str, Path, Any], caplog: pytest.LogCaptureFixture
) -> None:
    name, path, part = folder
    encoder = build(name, weights=str(path), random_weights=False)
    assert f"{name}: '{path}' has no preprocessor_config.json" in caplog.text
    state, whole = encoder.network.state_dict(), part.state_dict()
    inside = "audio_model." if name == "CLAPEncoder" else ""
    for key, value in whole.items():
        assert torch.equal(state[f"{inside}{key}"], value), key
    heard = sounds(encoder.waveform_rate, 1)
    said = encoder(heard)
    assert not torch.equal(said, build(name)(heard))

    encoder.front_end.save_pretrained(path)
    caplog.clear()
    assert torch.equal(build(name, weights=str(path), random_weights=False)(heard), said)
    assert not caplog.text
    (path / "model.safetensors").unlink()
    assert torch.equal(build(name, weights=str(path))(heard), build(name)(heard)), (
        "its config alone"
    )


@pytest.mark.parametrize("name", EARS)
def test_a_missing_folder_names_the_published_one_and_the_key(name: str) -> None:
    kind = AUDIO_ENCODERS.lookup(name)
    for weights in (None, "nowhere"):
        with pytest.raises(FileNotFoundError) as caught:
            build(name, weights=weights, random_weights=False)
        for part in (kind.published, "huggingface.co/", "model.audio_encoder.weights"):
            assert part in str(caught.value)


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize("folder", ["WavLMEncoder"], indirect=True)
def test_another_model_and_damaged_files_are_told(folder: tuple[str, Path, Any]) -> None:
    name, path, _ = folder
    with pytest.raises(ValueError, match="describes a model of type 'wavlm'; known: hubert; a pu"):
        build("HuBERTEncoder", weights=str(path), random_weights=False)
    front = transformers.Wav2Vec2FeatureExtractor(sampling_rate=8_000)
    front.save_pretrained(path)
    with pytest.raises(ValueError, match="unknown size='large'; known: mini, published"):
        build(name, weights=str(path), random_weights=False, size="large")
    with pytest.raises(ValueError, match="front end hears 8000 samples a second, not 16000"):
        build(name, weights=str(path), random_weights=False)
    (path / "preprocessor_config.json").unlink()
    config = path / "config.json"
    stated = config.read_text()
    (path / "model.safetensors").write_text(LFS)
    with pytest.raises(ValueError, match=r"model\.safetensors.*git-lfs"):
        build(name, weights=str(path), random_weights=False)
    config.write_text(LFS)
    with pytest.raises(ValueError, match=r"config\.json.*git-lfs"):
        build(name, weights=str(path), random_weights=False)
    config.write_text(json.dumps({**json.loads(stated), "model_type": None}))
    with pytest.raises(ValueError, match="of type None; known: wavlm"):
        build(name, weights=str(path), random_weights=False)


def test_arguments_out_of_range_are_told_together() -> None:
    with pytest.raises(ValueError, match=r"context_s must be from 1 to 1\.28, got 2; tokens must"):
        build("ASTEncoder", context_s=2, tokens=11)
    with pytest.raises(ValueError, match="CLAPEncoder: tokens must be from 1 to 1, got 2"):
        build("CLAPEncoder", tokens=2)
    with pytest.raises(ValueError, match="unknown size='large'; known: mini, published"):
        build("WhisperEncoder", size="large")
    fused = transformers.ClapAudioConfig(enable_fusion=True)
    encoder = build("CLAPEncoder")
    assert "of the fused kind" in encoder._misfits(encoder.front_end, fused)[-1]
