"""Parts are found by the names that models give them."""

from __future__ import annotations

from torch import nn

from auralsam2.engine.benchmark.parts import MODEL, of_data, of_model


class Network(nn.Module):
    """A model with some of the steps and parts, and one of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_encoder = nn.Identity()
        self.sparse_prompts = nn.ModuleList([nn.Identity(), nn.Identity()])
        self.own_part = nn.Identity()
        self.own_list = nn.ModuleList([nn.Identity()])
        self.fuser = None

    def encode(self) -> None:
        """A step."""


def test_steps_parts_lists_and_what_has_no_row() -> None:
    model = Network()
    assert list(of_model(model)) == [
        (model, "forward", MODEL),
        (model, "encode", "encode"),
        (model.audio_encoder, "forward", "audio encoder"),
        (model.sparse_prompts[0], "forward", "prompts"),
        (model.sparse_prompts[1], "forward", "prompts"),
        (model.own_part, "forward", "own part"),
        (model.own_list[0], "forward", "own list"),
    ]


def test_what_is_watched_of_readers_is_there() -> None:
    lacking = [watched for watched in of_data() if not callable(getattr(*watched[:2], None))]
    assert lacking == []
