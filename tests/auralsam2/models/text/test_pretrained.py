"""RoBERTa from a folder, on a tiny random model with a tokenizer of its own."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.models.text.pretrained import RobertaText
from auralsam2.registry import TEXT_ENCODERS

transformers = pytest.importorskip("transformers", reason="needs the extra [text]")
tokenizers = pytest.importorskip("tokenizers", reason="needs the extra [text]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("roberta")
    words = ["<s>", "<pad>", "</s>", "<unk>", *["the", "dog", "very", "a", "b"]]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.RobertaModel(
            transformers.RobertaConfig(
                vocab_size=len(words),
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=40,
            )
        )
    model.save_pretrained(path)
    vocabulary = tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, "<unk>")
    tokenizer = tokenizers.Tokenizer(vocabulary)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(path)
    return path


def test_every_expression_gives_as_many_tokens(folder: Path) -> None:
    encoder = TEXT_ENCODERS.build(dict(type="RobertaText", weights=str(folder))).train()
    assert encoder.out_channels == 16
    states = encoder(["the dog", "the very " * 30])
    assert states.shape == (2, 25, 16) and not states.requires_grad
    assert not encoder.network.training
    torch.testing.assert_close(encoder(["the dog"])[0], states[0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(states[0], states[1])


def test_fewer_tokens_are_not_answered_from_more(folder: Path) -> None:
    assert RobertaText(folder, num_tokens=6)(["the dog"]).shape[1] == 6
    assert RobertaText(folder, num_tokens=4)(["the dog"]).shape[1] == 4


def test_a_trained_encoder_gets_gradients(folder: Path) -> None:
    encoder = RobertaText(folder, num_tokens=6, frozen=False)
    encoder(["a b"]).sum().backward()
    assert encoder.network.embeddings.word_embeddings.weight.grad is not None


@pytest.mark.parametrize("weights", [None, "nowhere"])
def test_a_missing_folder_names_the_published_one(weights: str | None) -> None:
    with pytest.raises(FileNotFoundError, match="distilroberta-base") as caught:
        RobertaText(weights)
    assert "model.text_encoder.weights" in str(caught.value)


def _towers(folder: Path, kind: str) -> Any:
    """Both towers of a tiny CLIP or CLAP, beside the tokenizer of the folder."""
    words = dict(
        vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, projection_dim=8, max_position_embeddings=40,
    )  # fmt: skip
    if kind == "CLIPText":
        frames = dict(words, image_size=8, patch_size=4)
        config = transformers.CLIPConfig(text_config=words, vision_config=frames, projection_dim=8)
        model = transformers.CLIPModel(config)
    else:
        sound = dict(
            spec_size=64, num_mel_bins=16, depths=[1], num_attention_heads=[1], hidden_size=8,
            patch_embeds_hidden_size=8, window_size=4, projection_dim=8,
        )  # fmt: skip
        config = transformers.ClapConfig(text_config=words, audio_config=sound, projection_dim=8)
        model = transformers.ClapModel(config)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["CLIPText", "CLAPText"])
def test_of_two_towers_the_words_are_read(folder: Path, tmp_path: Path, kind: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    whole = _towers(tmp_path, kind).eval()
    encoder = TEXT_ENCODERS.build(dict(type=kind, weights=str(tmp_path), num_tokens=5))
    assert encoder.out_channels == 16
    batch = encoder.tokenizer(["the dog"], padding="max_length", max_length=5, return_tensors="pt")
    with torch.no_grad():
        states = whole.text_model(**batch).last_hidden_state
    torch.testing.assert_close(encoder(["the dog"]), states)
    part = whole.text_model.state_dict()
    own = {key.removeprefix("text_model."): x for key, x in encoder.network.state_dict().items()}
    assert own.keys() == part.keys() and all(torch.equal(own[key], part[key]) for key in own)


@pytest.mark.parametrize("kind", ["CLIPText", "CLAPText"])
def test_towers_of_other_models_are_told(folder: Path, kind: str) -> None:
    with pytest.raises(ValueError, match=f"{kind}: .*of type 'roberta'; known: {kind[:4].lower()}"):
        TEXT_ENCODERS.build(dict(type=kind, weights=str(folder)))
    with pytest.raises(
        FileNotFoundError, match="cl[ai]p-.*huggingface.*model.text_encoder.weights"
    ):
        TEXT_ENCODERS.build(dict(type=kind, weights="nowhere"))
