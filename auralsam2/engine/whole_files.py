"""Files of mmengine that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from auralsam2.text_files import write_bytes

NAME = "whole_files"


class WholeFileBackend(LocalBackend):
    """Write beside the target, then rename: a killed run never leaves half a checkpoint."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_bytes(Path(filepath), obj)


register_backend(NAME, WholeFileBackend, force=True)
