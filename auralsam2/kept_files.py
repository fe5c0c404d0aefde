"""Results kept on disk to spare work: files that are there whole or not at all.

Whatever is kept can be made again, so that neither a full disk, a folder that cannot be written
nor a damaged file may cost more than the time to make it.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auralsam2.messages import warn_once

DIGEST = "sha256"


def keep(path: Path, content: bytes) -> bool:
    """Write a file; where that fails, say so once a folder and process, and go on.

    Of several processes that write the same file the last one counts; none sees half of it.

    Returns:
        Whether the file is there.
    """
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        _say_once(path, error)
        return False
    return True


def keep_with_facts(path: Path, stated: Path, content: bytes, facts: Mapping[str, Any]) -> None:
    """Keep a file and, beside it, what it depends on; see :func:`keep`.

    Args:
        path: of the file.
        stated: of the JSON file.
        content: of the file.
        facts: of the JSON file, which also gets the content's digest.
    """
    try:
        # The facts last: a result that is killed between the two is made again.
        stated.unlink(missing_ok=True)
    except OSError as error:
        _say_once(path, error)
        return
    if keep(path, content):
        text = json.dumps({**facts, DIGEST: hashlib.sha256(content).hexdigest()}, indent=1)
        keep(stated, (text + "\n").encode())


def kept_with_facts(path: Path, stated: Path) -> tuple[bytes, dict[str, Any]] | None:
    """Return what :func:`keep_with_facts` has kept; None where it is not there or damaged.

    Files without a digest come from earlier versions: whether they are whole shows when they are
    read.
    """
    try:
        content, facts = path.read_bytes(), json.loads(stated.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict):
        return None
    digest = facts.pop(DIGEST, None)
    return None if digest not in (None, hashlib.sha256(content).hexdigest()) else (content, facts)


def _say_once(path: Path, error: OSError) -> None:
    reason = error.strerror or str(error)
    text = f"cannot write '{path}' ({reason}): going on without it, no number depends on it"
    warn_once(__name__, text, key=f"{path.parent.name}: {reason}")
