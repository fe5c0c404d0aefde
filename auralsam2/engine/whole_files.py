"""Files of mmengine that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

NAME = "whole_files"


class WholeFileBackend(LocalBackend):
    """Write beside the target, then rename: a killed run never leaves half a checkpoint."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        target = Path(filepath)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


register_backend(NAME, WholeFileBackend, force=True)
