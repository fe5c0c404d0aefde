"""Which errors speak to a reader, and what they say."""

from __future__ import annotations


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
