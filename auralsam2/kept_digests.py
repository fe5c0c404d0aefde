"""Digests of files, kept so that what has not changed is not read again."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from auralsam2.kept_files import keep
from auralsam2.text_files import write_bytes

FOLDER = ".auralsam2"
"""Of what is kept beside data; hidden, so that it is no file of theirs."""
HEADER = b"auralsam2 digests 1\n"
_COUNT = struct.Struct("<q")
_RECORD = struct.Struct("<3q32s")  # size, modification and change in nanoseconds, SHA-256
YOUNG = 2 * 10**9
"""Nanoseconds. Clocks of file systems are coarse: what changed just before it was read may change
again without a later time, so that its digest is not kept."""
THREADS, BLOCK, CHUNK = 8, 1 << 20, 64

Stamp = tuple[int, int, int]


def content_digests(
    paths: Iterable[Path], root: Path, kept: Sequence[Path] = ()
) -> dict[Path, bytes]:
    """SHA-256 of the content of files below a folder.

    A file is read unless one of the ``kept`` files knows it: by its path below ``root``, its size
    and the times of its last modification and change, to the nanosecond. So whatever is written,
    replaced, moved or given another time is read again. What is not noticed is an exchange of the
    content that leaves all of that as it was, as a tool below the file system may do; deleting the
    kept files lets everything be read.

    Args:
        paths: of the files.
        root: folder that they lie below.
        kept: where digests may be kept; of these the first that can be written gets all of them,
            once some had to be read. Files that are damaged or no digests are as good as none.

    Raises:
        OSError: where a file cannot be read.
    """
    prefix = os.path.join(os.fspath(root), "")
    names = {path: os.fspath(path).removeprefix(prefix) for path in paths}
    found: dict[Path, bytes] = {}
    stamps = {path: stamp(path) for path in names}
    for file in kept:
        known = _read(file) if len(found) < len(names) else {}
        for path, name in names.items():
            if known.get(name, ())[:3] == stamps[path]:
                found[path] = known[name][3]
    if missing := [path for path in names if path not in found]:
        now = time.time_ns()
        found |= _computed(missing)
        old = [path for path in names if max(stamps[path][1:]) < now - YOUNG]
        _keep({names[path]: (*stamps[path], found[path]) for path in old}, kept)
    return found


def places(root: Path, name: str) -> list[Path]:
    """Where digests of the files of a data set are kept: beside the data, or in a cache folder."""
    file = re.sub(r"[^\w+.-]", "-", name) + ".digests"
    return [root / FOLDER / file, *cached(root, file)]


def cached(path: Path, name: str) -> list[Path]:
    """A file for what is known of a path, in ``$XDG_CACHE_HOME`` or ``~/.cache``; or no place."""
    folder = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    whose = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:16]
    return [Path(folder, "auralsam2", whose, name)] if os.path.isabs(folder) else []


def stamp(path: Path) -> Stamp:
    """Size and times of modification and change by which an unchanged file is known."""
    stat = os.stat(path)
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _computed(paths: Sequence[Path]) -> dict[Path, bytes]:
    """Read files several at a time: disks and networks are slow to begin, not to go on."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    if len(chunks) == 1:
        return _chunk(paths)
    with ThreadPoolExecutor(THREADS) as pool:
        return {path: digest for part in pool.map(_chunk, chunks) for path, digest in part.items()}


def _chunk(paths: Sequence[Path]) -> dict[Path, bytes]:
    return {path: _content(path) for path in paths}


def _content(path: Path) -> bytes:
    hashed = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            hashed.update(block)
    return hashed.digest()


def _read(file: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """What a file knows, by path; nothing where it is not there or not whole."""
    try:
        content = file.read_bytes()
    except OSError:
        return {}
    start = len(HEADER)
    checksum, body = content[start : start + 32], content[start + 32 :]
    if not content.startswith(HEADER) or hashlib.sha256(body).digest() != checksum:
        return {}
    (count,) = _COUNT.unpack_from(body)
    names = _COUNT.size + count * _RECORD.size
    records = _RECORD.iter_unpack(body[_COUNT.size : names])
    by_name = body[names:].decode("utf-8", "surrogateescape").split("\0")
    return dict(zip(by_name, records, strict=False))  # a text of nothing is split into one name


def _keep(known: dict[str, tuple[int, int, int, bytes]], kept: Sequence[Path]) -> None:
    records = b"".join(_RECORD.pack(*record) for record in known.values())
    names = "\0".join(known).encode("utf-8", "surrogateescape")
    body = _COUNT.pack(len(known)) + records + names
    content = HEADER + hashlib.sha256(body).digest() + body
    for file in kept[:-1]:
        try:
            write_bytes(file, content)
            return
        except OSError:  # a folder that nobody may write in is usual; the next one tells
            continue
    for file in kept[-1:]:
        keep(file, content)
