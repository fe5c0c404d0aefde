"""Overrides: ``key=value`` of a command line into the place where a config holds it.

What a text means hangs on what is wanted where it goes, so it stays a `Written` until it is put
into a config.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config, ConfigDict

from auralsam2.config_schema import (
    SCHEMA,
    ConfigError,
    Factors,
    Node,
    Section,
    Spec,
    child_spec,
    known_keys,
    same_kind,
    wanted_kinds,
)
from auralsam2.messages import unknown_name
from auralsam2.moved_arguments import follow_move, follow_moves, moved_from, replacement
from auralsam2.signature import NOTHING, TEXT, TEXTS

_PLAIN = (str, bool, int, float, list, tuple, dict, type(None))
_FLAGS = {"true": True, "false": False}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def override(cfg: Any, overrides: Mapping[str, Any]) -> list[str]:
    """Put values at dotted paths of a config, in order; every problem."""
    problems = []
    for dotted, value in overrides.items():
        try:
            set_node(cfg, dotted, value)
        except ConfigError as error:
            problems += error.problems
    return problems


def set_node(cfg: Any, dotted: str, value: Any) -> None:
    """Replace what stands at a dotted path, in place.

    A dict replaces its node whole, so no argument of the old class survives; None switches a
    part off; a bare name where a component belongs means ``dict(type=name)``.

    Args:
        cfg: a ``Config``.
        dotted: e.g. ``"model.fusion"``, ``"evaluation.metrics.0.beta2"``.
        value: the new value; a `Written` is read as the schema or the component wants it.

    Raises:
        ConfigError: if the path leads nowhere, or what is written cannot be read; the message says
            which key and what is known.
    """
    node, spec = _parent(cfg, dotted)
    last = dotted.split(".")[-1]
    follow_move(node, last)
    _check_key(node, spec, dotted, len(dotted.split(".")) - 1, must_exist=False)
    try:
        value = read_value(value, spec, node, last)
    except ValueError as error:
        raise ConfigError([f"{dotted}={value}: {error}"]) from error
    if isinstance(value, str) and isinstance(child_spec(spec, last), Node):
        value = {"type": value}
    # ConfigDict turns nested dicts into its own kind only when they are set through it.
    node[_index(node, last)] = ConfigDict(value=value)["value"]
    follow_moves(node[_index(node, last)])


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """Take ``key=value`` arguments of a command line apart.

    The values stay as they are written until `set_node` knows what is wanted there: where that is
    text, every character counts; elsewhere they are Python literals (``{"type": "X"}``,
    ``(3, 6, 12)``, ``None``), numbers, true or false, lists without quotes; else text. Of a
    key that stands again the last value counts, in its last place.

    Raises:
        ConfigError: naming every argument without ``=``.
    """
    overrides: dict[str, Any] = {}
    problems = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            problems.append(f"{pair!r}: write KEY=VALUE, e.g. optim.epochs=2")
            continue
        overrides.pop(key.strip(), None)
        overrides[key.strip()] = Written(text)
    if problems:
        raise ConfigError(problems, source="overrides")
    return overrides


def read_value(value: Any, spec: Spec | None, node: Any, key: str) -> Any:
    """Return what is written for a key of a node, read as what is wanted there."""
    return value.read(wanted_kinds(spec, node, key)) if isinstance(value, Written) else value


def _parent(cfg: Any, dotted: str) -> tuple[Any, Spec | None]:
    """What holds the last key of a path, and what the schema says about it."""
    node: Any = cfg
    spec: Spec | None = SCHEMA
    owner: Spec | None = None
    for index, key in enumerate(dotted.split(".")[:-1]):
        below = child_spec(spec, key)
        if isinstance(below, (Factors, Section)) and key in getattr(spec, "may_miss", ()):
            node.setdefault(key, ConfigDict())  # what may be missing comes with its first key
        _check_key(node, spec, dotted, index, must_exist=True)
        node = node[_index(node, key)]
        spec = same_kind(owner, node) if below is None else below  # perhaps an empty tuple
        owner = spec if isinstance(spec, Node) else owner
    return node, spec


def _check_key(node: Any, spec: Spec | None, dotted: str, index: int, must_exist: bool) -> None:
    """Refuse a key of a path, the one with the ``index``, that its node cannot have."""
    *walked, key = dotted.split(".")[: index + 1]
    where = ".".join(walked) or "the config"
    if not isinstance(node, (Mapping, Config, list, tuple)):
        state = "switched off (None)" if node is None else f"a plain value, {node!r}"
        problem = f"{dotted}: {where} is {state} and has no key {key!r}; replace it whole"
        raise ConfigError([problem])
    known = known_keys(spec, node)
    present = key in (known or ()) if isinstance(node, (list, tuple)) else key in node
    if present or (not must_exist and (known is None or key in known)):
        return
    candidates = known if known is not None and not must_exist else known_keys(None, node)
    problem = unknown_name("key", key, [*map(str, candidates or ()), *moved_from(node)])
    kind = node.get("type") if isinstance(node, Mapping) else None
    raise ConfigError([f"{dotted}: {problem} (in {where}){replacement(kind, key)}"])


def _index(node: Any, key: str) -> Any:
    return int(key) if isinstance(node, (list, tuple)) else key


@dataclass(frozen=True)
class Written:
    """Every character behind the ``=`` of an override on a command line, not yet read."""

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
