"""What lies in the place of a file is named for what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.file_kinds import misplaced

KINDS = {
    b"": "an empty file",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n": "a git-lfs pointer",
    b"\xef\xbb\xbf\r\n <!DOCTYPE HTML>": "an HTML page",
    b"<html><body>404": "an HTML page",
    b"<?xml version='1.0'?><Error>": "an XML text",
    bytes(70): "zeros only",
    bytes(5000): "zeros only",
}
FINE = [b"\x89PNG\r\n", b"uid,split\n", b"PK\x03\x04", bytes(2000) + b"x", bytes(8), b"RIFF"]


@pytest.mark.parametrize(("content", "words"), KINDS.items())
def test_what_is_no_such_file(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert misplaced(tmp_path / "a").startswith(words)


@pytest.mark.parametrize("content", FINE)
def test_nothing_is_said_against_others(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert misplaced(tmp_path / "a") == ""


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    assert misplaced(tmp_path) == "a folder"
    with pytest.raises(FileNotFoundError):
        misplaced(tmp_path / "gone")
