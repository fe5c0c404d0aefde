"""Binding a config node to the signature of the class it names, before the class is called."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from auralsam2.messages import nearest
from auralsam2.moved_arguments import replacement

TEXT, TEXTS, NOTHING = "str", "Sequence[str]", "None"
"""Kinds of values, as annotations write them: a text, several, and none."""

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Parameters(NamedTuple):
    """Keyword arguments of a callable."""

    known: dict[str, inspect.Parameter]  # in order
    required: tuple[str, ...]  # names that its own signature leaves without a default
    takes_any: bool  # where **kwargs swallows every other name


@lru_cache(maxsize=1024)  # a plan of a thousand cells asks for the same few classes
def parameters_of(target: Callable[..., Any]) -> Parameters:
    """Return the keyword arguments of a class or function.

    A class whose ``__init__`` has ``**kwargs`` also takes what its parents take; where no parent
    ends that chain, it takes anything.
    """
    if not inspect.isclass(target):
        return _collect([list(inspect.signature(target).parameters.values())])
    signatures: list[list[inspect.Parameter]] = []
    for parent in target.__mro__:
        if "__init__" not in vars(parent):
            continue
        # nn.Module declares **kwargs only to refuse every one of them.
        if parent is object or (parent.__module__, parent.__name__) == _NN_MODULE:
            break
        signatures.append(list(inspect.signature(vars(parent)["__init__"]).parameters.values())[1:])
        if not _has_kwargs(signatures[-1]):
            break
    return _collect(signatures)


def annotated_kinds(parameter: inspect.Parameter) -> frozenset[str] | None:
    """Return the kinds of values that an argument's annotation, or else its default, accepts.

    Returns:
        `TEXT` for texts and paths, ``TEXTS`` for several of them, ``NOTHING`` for
        None, else the names of types as they stand there; None where nothing is said.
    """
    if parameter.annotation is parameter.empty:
        return frozenset({TEXT}) if isinstance(parameter.default, str) else None
    stated = parameter.annotation
    text = stated if isinstance(stated, str) else inspect.formatannotation(stated)
    return frozenset(_kinds(ast.parse(text, mode="eval").body))


def argument_problems(
    target: Callable[..., Any], given: Collection[str], injected: Collection[str] = ()
) -> list[str]:
    """Say of each unknown and each missing argument of a call that it is.

    Args:
        target: the class or function that a node names.
        given: argument names that the node states.
        injected: names that the builder adds by itself, hence not missing from the node.
    """
    parameters = parameters_of(target)
    name = getattr(target, "__name__", str(target))
    known = ", ".join(parameters.known) or "(none)"
    problems = []
    for argument in given:
        if argument not in parameters.known and not parameters.takes_any:
            guess = nearest(argument, parameters.known)
            hint = f"; did you mean {guess!r}?" if guess else ";"
            hint += f" known: {known}{replacement(name, argument)}"
            problems.append(f"{name} got an unknown argument {argument!r}{hint}")
    for argument in parameters.required:
        if argument not in given and argument not in injected:
            problems.append(f"{name} misses its argument {argument!r}; known: {known}")
    return problems


_SEVERAL = ("Sequence", "Iterable", "Collection", "list", "tuple", "List", "Tuple")
_NN_MODULE = ("torch.nn.modules.module", "Module")


def _kinds(tree: ast.expr) -> Iterator[str]:
    """Kinds of an annotation, each member of a union by itself."""
    if isinstance(tree, ast.BinOp):
        yield from _kinds(tree.left)
        yield from _kinds(tree.right)
        return
    name, inner = _last_name(tree), tree.slice if isinstance(tree, ast.Subscript) else None
    items = inner.elts if isinstance(inner, ast.Tuple) else [inner] if inner is not None else []
    if name in ("Union", "Optional"):
        yield from (kind for item in items for kind in _kinds(item))
        yield from [NOTHING] * (name == "Optional")
    elif name == "Literal":
        yield from (type(ast.literal_eval(item)).__name__ for item in items)
    elif name in ("Path", "PathLike"):
        yield TEXT
    elif name in _SEVERAL and TEXT in {_last_name(item) for item in items}:
        yield TEXTS
    else:
        yield name


def _last_name(tree: ast.expr) -> str:
    if isinstance(tree, ast.Subscript):
        return _last_name(tree.value)
    return tree.attr if isinstance(tree, ast.Attribute) else ast.unparse(tree)


def _has_kwargs(signature: list[inspect.Parameter]) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature)


def _collect(signatures: list[list[inspect.Parameter]]) -> Parameters:
    known: dict[str, inspect.Parameter] = {}
    for signature in signatures:
        for parameter in signature:
            if parameter.kind in _NAMED:
                known.setdefault(parameter.name, parameter)
    own = signatures[0] if signatures else []
    required = tuple(p.name for p in own if p.kind in _NAMED and p.default is p.empty)
    return Parameters(known, required, bool(signatures) and _has_kwargs(signatures[-1]))
