"""Values of ``key=value`` arguments: from text to what a config holds."""

from __future__ import annotations

import ast
from typing import Any

from mmengine.config import DictAction


def parse_value(text: str) -> Any:
    """Read a Python literal, ``dict(...)``, a list of these, or what mmengine's DictAction reads.

    Raises:
        AssertionError: on unbalanced brackets, from DictAction.
    """
    try:
        return _literal(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError):
        if not any(mark in text for mark in ",(["):
            return DictAction._parse_int_float_bool(text)  # the other one drops spaces
        return DictAction._parse_iterable(text)


def _literal(tree: ast.expr) -> Any:
    """Value of a literal, of ``dict(...)``, or of a list of either; else a ValueError."""
    if isinstance(tree, ast.Call) and getattr(tree.func, "id", None) == "dict":
        return {str(k.arg): parse_value(ast.unparse(k.value)) for k in tree.keywords}
    if isinstance(tree, ast.List):
        return [_literal(item) for item in tree.elts]
    return ast.literal_eval(tree)
