"""The registry class behind every registry of the framework: look-up and building with hints."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules, resolve_name
from typing import Any

from mmengine.registry import Registry as MMEngineRegistry

from auralsam2.messages import unknown_name
from auralsam2.signature import argument_problems, parameters_of

SCOPE = "auralsam2"
CUSTOM_MODULE = "auralsam2_custom_"
"""What the names of modules begin with that were imported from a file of the user's."""


class UnknownComponentError(KeyError):
    """No component of that name is registered."""

    def __str__(self) -> str:
        # KeyError shows repr(message), which escapes its quotes.
        return str(self.args[0])


class ComponentArgumentError(ValueError):
    """A node's arguments do not fit the signature of the class it names."""


class Registry(MMEngineRegistry):  # type: ignore[misc]
    """An mmengine registry that knows its call contract and answers mistakes with a hint.

    Args:
        name: what it holds, in the singular; with underscores it is the key of config nodes.
        contract: what holds of its components beside the next two.
        given: arguments that whoever builds a component passes where its class takes them.
        calls: how a component is called, ``"forward(visual, audio)"`` -> shapes in and out; what
            else the method takes has defaults.
        locations: packages whose import registers the components; imported at first look-up.
            ``package.*`` stands for all modules of a package that does not import them itself.
        parent: the mmengine root that the Runner searches, None for an own root.
        base: class that its classes derive from, as ``package.module:Class``; None: any.

    Attributes:
        contract: all of this in one text.
    """

    def __init__(
        self,
        name: str,
        *,
        contract: str = "",
        given: Sequence[str] = (),
        calls: Mapping[str, str] | None = None,
        locations: Sequence[str] = (),
        parent: MMEngineRegistry | None = None,
        base: str | None = None,
    ) -> None:
        super().__init__(name, parent=parent, scope=SCOPE)
        self.base, self.locations = base, tuple(locations)
        self.given, self.calls = tuple(given), dict(calls or {})
        stated = [f"build({', '.join(given)})"] if given else []
        stated += [f"{call}: {shapes}" for call, shapes in self.calls.items()]
        self.contract = "; ".join([*stated, contract] if contract else stated)

    @property
    def config_key(self) -> str:
        """The key under which configs hold nodes of this registry, e.g. ``audio_encoder``."""
        return str(self.name).replace(" ", "_")

    def import_from_location(self) -> None:
        """Import what registers the components, once."""
        if not self._imported:
            with without_transformers():
                for name in [name for place in self.locations for name in _modules_at(place)]:
                    import_module(name)
            self._imported: bool = True

    def names(self) -> list[str]:
        """Return the registered names, importing the components first.

        A registry without own components lists those of the mmengine root it extends.
        """
        self.import_from_location()
        return sorted(self.module_dict) or sorted(self._known())

    def lookup(self, type_: str | Callable[..., Any]) -> Callable[..., Any]:
        """Return the class of a node's ``type``.

        Args:
            type_: a registered name (``auralsam2.`` in front is fine), a dotted path to a class
                of an importable module, or the class itself.

        Raises:
            UnknownComponentError: if no such name is registered.
        """
        if not isinstance(type_, str):
            if not callable(type_):
                raise ComponentArgumentError(
                    f"the type of a {self.name} must be a name or a class, got {type_!r}"
                )
            return type_
        found: Any = None
        if "." in type_:
            found = self._get_dotted(type_)
        else:
            # mmengine's get would also import any module of that name.
            self.import_from_location()
            found = self._known().get(type_)
        if found is None or not callable(found):
            hint = _unregistered(type_, str(self.name))
            raise UnknownComponentError(unknown_name(str(self.name), type_, self.names()) + hint)
        return found  # type: ignore[no-any-return]

    def base_problems(self, target: Callable[..., Any]) -> list[str]:
        """Say what is wrong where a class is not what this registry holds; functions pass."""
        if self.base is None or not inspect.isclass(target):
            return []
        if issubclass(target, resolve_name(self.base)):
            return []
        return [
            f"{target.__name__} is no {self.name}: derive it from {self.base.replace(':', '.')}"
        ]

    def build(self, node: Mapping[str, Any] | None, **defaults: Any) -> Any:
        """Build the component that a config node names.

        Args:
            node: ``dict(type="Name", argument=...)``; None switches the component off.
            **defaults: arguments such as dimensions that the caller knows; each is passed only
                where the class accepts it and the node does not state it.

        Returns:
            The instance, or None for a node of None.

        Raises:
            UnknownComponentError: if no such name is registered.
            ComponentArgumentError: if the arguments do not bind to the class's signature, or it is
                not of the registry's kind; the message lists every problem.
        """
        if node is None:
            return None
        if not isinstance(node, Mapping) or "type" not in node:
            raise ComponentArgumentError(
                f"a {self.name} is a dict with the key 'type', or None; got {node!r}"
            )
        arguments = {str(key): value for key, value in node.items() if key != "type"}
        target = self.lookup(node["type"])
        accepted = parameters_of(target)
        for name, value in defaults.items():
            if name in accepted.known or accepted.takes_any:
                arguments.setdefault(name, value)
        problems = self.base_problems(target) + argument_problems(target, arguments)
        if problems:
            raise ComponentArgumentError("\n".join(problems))
        return target(**arguments)

    def _known(self) -> dict[str, Any]:
        known: dict[str, Any] = {}
        registry: MMEngineRegistry | None = self
        while registry is not None:
            known = {**registry.module_dict, **known}
            registry = registry.parent
        return known

    def _get_dotted(self, path: str) -> Any:
        try:
            return self.get(path)
        except RuntimeError:  # how mmengine says that the path does not import
            return None


@contextmanager
def without_transformers() -> Iterator[None]:
    """Let imports of transformers fail as if it were not installed.

    mmengine.optim imports all of it, over half a second, only to offer its Adafactor optimizer.
    Whoever needs transformers later finds it.
    """
    name = "transformers"
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[name]


def _modules_at(location: str) -> list[str]:
    """Names of the modules that a location of a registry stands for."""
    package, star, _ = location.partition(".*")
    if not star:
        return [location]
    path = import_module(package).__path__
    return [f"{package}.{module.name}" for module in iter_modules(path)]


def _unregistered(type_: str, kind: str) -> str:
    """A hint where a file of the user's has such a class, and its registration was forgotten."""
    for name, module in reversed(list(sys.modules.items())):  # the last one imported
        if name.startswith(CUSTOM_MODULE) and inspect.isclass(getattr(module, type_, None)):
            return (
                f"; '{module.__file__}' has a class {type_!r} that is not registered as {kind}: "
                "put @REGISTRY.register_module() of auralsam2.registry above it"
            )
    return ""
