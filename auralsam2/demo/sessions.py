"""The sessions of all browsers: each with a secret name, and not more than a few at a time."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auralsam2.demo.session import Session

MOST_SESSIONS = 4


class Sessions:
    """Sessions by their secret, those first that were used longest ago.

    All share the predictors; each has a folder of its own below ``folder``.
    """

    def __init__(self, predictors: Mapping[str, Any], folder: Path) -> None:
        self._predictors, self._folder = predictors, folder
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._lock, self._number = threading.Lock(), 0

    def find(self, secret: str | None) -> Session | None:
        """Return the session of a secret, None where there is none any more."""
        with self._lock:
            if secret is None or secret not in self._open:
                return None
            self._open.move_to_end(secret)
            return self._open[secret]

    def start(self) -> str:
        """Open a session; where there are too many, one without a clip goes, or the oldest."""
        secret, left = secrets.token_urlsafe(32), None
        with self._lock:
            if len(self._open) == MOST_SESSIONS:
                empty = (key for key, session in self._open.items() if session.clip is None)
                left = self._open.pop(next(empty, next(iter(self._open))))
            self._number += 1
            self._open[secret] = Session(self._predictors, self._folder / f"s{self._number}")
        if left is not None:
            left.close()
        return secret

    def stop(self) -> None:
        """Let all that is being computed end after its frame."""
        for session in list(self._open.values()):
            session.closed = True

    def close(self) -> None:
        """Close all sessions."""
        with self._lock:
            sessions = list(self._open.values())
            self._open.clear()
        for session in sessions:
            session.close()
