"""Values of ``key=value`` arguments: from text to what a config holds.

What a text means hangs on what is wanted where it goes, so it stays a `Written` until it is put
into a config.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

TEXT, TEXTS, NOTHING = "str", "Sequence[str]", "None"
"""Kinds of values, as annotations write them: a text, several, and none."""

_PLAIN = (str, bool, int, float, list, tuple, dict, type(None))
_FLAGS = {"true": True, "false": False}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Written:
    """What stands behind the ``=`` of an override on a command line, not yet read.

    Attributes:
        text: every character of it.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:  # as what is known of analyses is told apart by
        return repr(self.text)

    def read(self, wanted: Collection[str] | None) -> Any:
        """Return the value.

        Where a text is wanted, it is taken as it is, blanks and quotes included. ``None`` means
        None where that is wanted too. Where other kinds are wanted besides, a Python literal of
        such a kind wins, and all else is text. Lists of texts are taken apart at commas. Elsewhere
        see `parse_value`.

        Args:
            wanted: kinds of values, `TEXT`, ``"int"``, ...; None where any may stand.

        Raises:
            ValueError: where brackets do not match, or a dict is no Python.
        """
        others = set(wanted or ()) - {TEXT, NOTHING}
        if wanted is None or not ({TEXT, TEXTS} & set(wanted)):
            return parse_value(self.text)
        if NOTHING in wanted and self.text.strip() == NOTHING:
            return None
        if TEXTS in others and (TEXT not in wanted or self.text.strip()[:1] in ("(", "[")):
            return _texts(self.text)
        value = _plain_literal(self.text) if others - {TEXTS} else None
        return value if type(value).__name__ in others else self.text


def parse_value(text: str) -> Any:
    """Read a value of which nothing is known.

    That is a Python literal, ``dict(...)``, or a list or tuple of these; else a number, ``true`` or
    ``false``; several of them between commas; else text. Inside brackets, names need no quotes, and
    a text that is more than letters, digits, dots and dashes does.

    Raises:
        ValueError: where brackets do not match, or a dict is no Python.
    """
    text = text.strip()
    try:
        return _literal(ast.parse(text, mode="eval").body, text)
    except (SyntaxError, ValueError):
        pass
    if text.startswith(("{", "dict(")):
        raise ValueError(f"{text!r} is no Python dict; texts in it need quotes")
    if text[:1] in ("(", "[") and text.endswith(_CLOSING[text[0]]):
        items = [parse_value(part) for part in _split(text[1:-1])]
        return tuple(items) if text[0] == "(" else items
    parts = list(_split(text))
    return [parse_value(part) for part in parts] if len(parts) > 1 else _scalar(text)


def _literal(tree: ast.expr, text: str) -> Any:
    """Value of a literal, or of a list, tuple or dict; else a ValueError."""
    if isinstance(tree, ast.Call) and getattr(tree.func, "id", None) == "dict" and not tree.args:
        return {str(k.arg): parse_value(_source(k.value, text)) for k in tree.keywords}
    if isinstance(tree, ast.Dict) and all(tree.keys):
        keys = [ast.literal_eval(key) for key in tree.keys if key is not None]
        return {k: parse_value(_source(v, text)) for k, v in zip(keys, tree.values, strict=True)}
    if isinstance(tree, (ast.List, ast.Tuple)):
        items = [parse_value(_source(item, text)) for item in tree.elts]
        return tuple(items) if isinstance(tree, ast.Tuple) and text[:1] == "(" else items
    value = ast.literal_eval(tree)
    if not isinstance(value, _PLAIN):
        raise ValueError(f"{text!r} is nothing that a config holds")
    return value


def _source(tree: ast.expr, text: str) -> str:
    return ast.get_source_segment(text, tree) or ast.unparse(tree)


def _scalar(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _FLAGS.get(text.lower(), text)


def _plain_literal(text: str) -> Any:
    """A Python literal, or a word for true or false; the text where it is neither."""
    try:
        return ast.literal_eval(text.strip())
    except (SyntaxError, ValueError):
        return _FLAGS.get(text.strip().lower(), text)


def _texts(text: str) -> list[str]:
    text = text.strip()
    literal = _plain_literal(text)
    if isinstance(literal, (list, tuple)) and all(isinstance(item, str) for item in literal):
        return list(literal)
    if text[:1] in ("(", "[") and text.endswith(_CLOSING[text[0]]):
        text = text[1:-1]
    return [_unquoted(part) for part in _split(text)]


def _unquoted(text: str) -> str:
    literal = _plain_literal(text)
    return literal if isinstance(literal, str) else text


def _split(text: str) -> Iterator[str]:
    """Parts between the commas that no bracket holds; nothing behind the last comma.

    Raises:
        ValueError: where brackets do not match.
    """
    expected: list[str] = []
    start = 0
    for index, character in enumerate(text):
        if character in _CLOSING:
            expected.append(_CLOSING[character])
        elif character in _CLOSING.values() and (not expected or expected.pop() != character):
            raise ValueError("unbalanced brackets")
        elif character == "," and not expected:
            yield text[start:index].strip()
            start = index + 1
    if expected:
        raise ValueError("unbalanced brackets")
    if text[start:].strip() or not start:
        yield text[start:].strip()
