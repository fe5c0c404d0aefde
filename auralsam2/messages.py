"""Which errors speak to a reader, what they say, and warnings that are given once."""

from __future__ import annotations

import logging

_SAID: set[str] = set()


def is_message(error: BaseException) -> bool:
    """Return whether an error speaks to the user: a bare key or an index is a bug of ours."""
    if not isinstance(error, (ValueError, LookupError, OSError, ImportError)):
        return False
    if isinstance(error, IndexError):
        return False
    if isinstance(error, LookupError):
        return bool(error.args) and isinstance(error.args[0], str) and " " in error.args[0]
    return bool(str(error))


def message(error: BaseException) -> str:
    """Return what an error says: a `KeyError`'s own text would be quoted."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def warn_once(logger: str, text: str, key: str = "") -> None:
    """Warn, unless this process has done so already.

    Args:
        logger: its name.
        text: of the warning.
        key: what is not said twice; the text where it is empty.
    """
    if (key or text) not in _SAID:
        _SAID.add(key or text)
        logging.getLogger(logger).warning("%s", text)
