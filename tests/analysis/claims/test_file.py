from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.claims.file import claims_for, load_claims
from auralsam2.config import ConfigError

GOOD = "claims = [dict(type='Beats', sentence='s', cell='a', other='b', by=0.01)]\n"


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str, name: str = "claims.py") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return written


def test_a_file(write) -> None:
    claims = load_claims(write(f"title = 'T'\nalpha = 0.01\n{GOOD}"))
    assert (claims.name, claims.title, claims.alpha) == ("claims", "T", 0.01)
    (claim,) = claims.claims
    assert (claim.kind, claim.cell, claim.other, claim.by) == ("Beats", "a", "b", 0.01)
    assert load_claims(write(GOOD)).alpha == 0.05


def test_all_problems_of_a_file_at_once(write) -> None:
    text = (
        "alpha = 0.7\nclaim = []\n"
        "claims = [dict(type='Beat', sentence='s'), dict(type='Beats', sentence='s', cell='a'),\n"
        "    dict(type='Monotone', sentence='s', cells=['a', 'a'], by=float('inf'))]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_claims(write(text))
    said = str(caught.value)
    assert "claims.py': 6 problems" in said
    assert "unknown key 'claim'; did you mean 'claims'?" in said
    assert "alpha: wanted a number between 0 and 0.5, got 0.7" in said
    assert "claims.0: unknown claim 'Beat'; did you mean 'Beats'?" in said
    assert "claims.1: " in said and "other" in said
    assert "claims.2: by: wanted a finite number" in said and "claims.2: 'a' is named twice" in said


@pytest.mark.parametrize("text", ["", "claims = []", "claims = 3"])
def test_a_file_without_claims(write, text: str) -> None:
    with pytest.raises(ConfigError, match="claims: wanted a list of nodes"):
        load_claims(write(text))


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(FileNotFoundError, match="did you mean 'claims/paper_mini'"):
        load_claims("paper_min")


def test_a_kind_of_ones_own_is_one_file(write) -> None:
    write(
        "from dataclasses import dataclass\n"
        "from analysis.claims.claim import CLAIMS, Bound, Claim\n\n\n"
        "@CLAIMS.register_module(force=True)\n@dataclass(kw_only=True)\n"
        "class ScoresAbove(Claim):\n"
        "    '''A cell scores above a level.'''\n\n"
        "    cell: str\n    level: float\n\n"
        "    def bounds(self, sign):\n"
        "        return [Bound(self.cell, {(self.cell, self.column): 1.0}, self.level)]\n",
        "above.py",
    )
    text = (
        "custom_imports = dict(imports=['above.py'])\n"
        "claims = [dict(type='ScoresAbove', sentence='s', cell='a', level=0.5)]\n"
    )
    (claim,) = load_claims(write(text)).claims
    assert claim.bounds(1)[0].asserted == "> 0.5"


def manifest(folder: Path, name: str) -> Path:
    folder.mkdir()
    content = {"name": name, "title": "T", "cells": []}
    (folder / "grid.json").write_text(json.dumps(content))
    return folder


def test_whose_claims_are_meant_without_a_name(tmp_path: Path) -> None:
    arms, demo = manifest(tmp_path / "arms", "paper_mini"), manifest(tmp_path / "demo", "prompts")
    other = manifest(tmp_path / "other", "mine")
    assert claims_for(arms).name == "paper_mini"  # the shipped ones of the grid's own name
    of_demo, of_all = claims_for(demo), claims_for(tmp_path)  # the paper's about it, and of any
    assert of_demo.name == of_all.name == "auralsam2"
    assert 0 < len(of_demo.claims) < len(of_all.claims) == of_demo.family == of_all.family
    assert claims_for(other) is None
    (arms / "claims.py").write_text(f"title = 'own'\n{GOOD}")
    assert claims_for(arms).title == "own"
