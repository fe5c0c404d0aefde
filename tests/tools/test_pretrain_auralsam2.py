from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auralsam2.engine.pretraining import auralsam2_mini


def test_the_card_is_written_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run
) -> None:
    card = {"weights": "w.safetensors", "metrics": {"real": {"J": 0.9}}, "guesses": {"all": 0.5}}
    asked: dict[str, Any] = {}

    def pretrain(out: Path, **settings: Any) -> dict[str, Any]:
        asked.update(settings, out=out)
        return card

    monkeypatch.setattr(auralsam2_mini, "pretrain_auralsam2", pretrain)
    shown = run("pretrain-auralsam2", tmp_path / "mini", "--workers", "2")
    asked.pop("on_clip")
    assert asked == {"out": tmp_path / "mini", "workers": 2, "keep_code": False}
    assert json.loads((tmp_path / "mini" / "scores.json").read_text()) == card
    assert "real: J 0.9000" in shown and "guesses: all 0.5000" in shown
    assert str(tmp_path / "mini" / "w.safetensors") in shown
