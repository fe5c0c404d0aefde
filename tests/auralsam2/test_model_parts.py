from __future__ import annotations

from auralsam2.model_parts import parts_of
from auralsam2.registry import load_all


def test_parts_of_parts_and_parts_below_other_keys() -> None:
    load_all()
    ear = dict(type="LogMelCNN", channels="mean")
    eye = dict(type="HieraStages", backbone=dict(type="SAM2Backbone", size="mini"))
    model = dict(type="TPAVINetwork", image_encoder=eye, channels=24, own=dict(audio_encoder=ear))
    found = {part.path: part for part in parts_of(model)}
    assert list(found) == [
        *("model", "model.image_encoder", "model.image_encoder.backbone"),
        "model.own.audio_encoder",
    ]
    assert found["model.image_encoder.backbone"].arguments == {"size": "mini"}
    assert found["model.own.audio_encoder"].component.__name__ == "LogMelCNN"
    assert found["model.own.audio_encoder"].kind == "audio_encoder"
