from __future__ import annotations

from auralsam2.suggestions import nearest, unknown_name


def test_nearest_ignores_case() -> None:
    assert nearest("gatedsum", ["GatedSumFusion", "CrossAttentionFusion"]) == "GatedSumFusion"
    assert nearest("zzz", ["GatedSumFusion"]) is None


def test_message_without_a_guess_or_without_names() -> None:
    assert unknown_name("key", "zzz", ["seed"]) == "unknown key 'zzz'; known: seed"
    assert unknown_name("key", "zzz", []) == "unknown key 'zzz'; known: (none)"


def test_long_lists_are_cut() -> None:
    message = unknown_name("key", "?", [f"k{i:03}" for i in range(100)])
    assert message.endswith("k039, … (60 more)")
