"""Name what lies in the place of a file of pictures, sound, tables or weights."""

from __future__ import annotations

import os
from pathlib import Path

HEAD = 1024
"""Bytes that tell what a file is."""
_LFS = b"version https://git-lfs.github.com/spec/"
_ENDS = 64


def misplaced(path: str | os.PathLike[str]) -> str:
    """Say behind "it is" what lies in a file's place; "" where nothing speaks against the file.

    Raises:
        OSError: where there is nothing at the path, or it cannot be opened.
    """
    path = Path(path)
    if path.is_dir():
        return "a folder"
    with path.open("rb") as file:
        head = file.read(HEAD)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - HEAD))
        tail = file.read()
    return misplaced_content(head, tail)


def misplaced_content(head: bytes, tail: bytes = b"") -> str:
    """Like :func:`misplaced`, for the first and the last bytes of a file."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "an empty file, as a broken download or a full disk leaves it"
    if head.startswith(_LFS):
        return "a git-lfs pointer, not the file itself: fetch it with `git lfs pull`"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page, as a server sends it in the place of a download: fetch the file again"
    if text.startswith(b"<?xml") and b"<svg" not in text:
        return "an XML text, as a server sends it with an error: fetch the file again"
    if len(head) >= _ENDS and not (head + tail).strip(b"\0"):
        return "zeros only, as an interrupted copy leaves them: copy the file again"
    return ""


def instead(content: bytes) -> str:
    """The same of a whole content, as a clause to end a message with; "" likewise."""
    kind = misplaced_content(content[:HEAD], content[-HEAD:])
    return f"it is {kind}" if kind else ""
