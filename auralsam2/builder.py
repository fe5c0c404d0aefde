"""The registry class behind every registry of the framework: look-up and building with hints."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules, resolve_name
from typing import Any

from auralsam2.messages import unknown_name
from auralsam2.moved_arguments import replacement
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


class Registry:
    """Components by name, with the contract that they keep; mistakes are answered with a hint.

    Importing this takes no time: registries below mmengine's, which its Runner searches, are made
    in `auralsam2.registry`.

    Args:
        name: what it holds, in the singular; with underscores it is the key of config nodes.
        contract: what holds of its components beside the next two.
        given: arguments that whoever builds a component passes where its class takes them.
        calls: how a component is called, ``"forward(visual, audio)"`` -> shapes in and out; what
            else the method takes has defaults.
        locations: packages whose import registers the components; imported at first look-up.
            ``package.*`` stands for all modules of a package: a new component is one new file.
        parent: the mmengine root that the Runner searches, whose components are known here too.
        base: class that its classes derive from, as ``package.module:Class``; None: any.

    Attributes:
        contract: all of this in one text.
        module_dict: components by their names.
    """

    def __init__(
        self,
        name: str,
        *,
        contract: str = "",
        given: Sequence[str] = (),
        calls: Mapping[str, str] | None = None,
        locations: Sequence[str] = (),
        parent: Any = None,
        base: str | None = None,
    ) -> None:
        self.name, self.parent = name, parent
        self.module_dict: dict[str, Any] = {}
        self._imported = False
        self.base, self.locations = base, tuple(locations)
        self.given, self.calls = tuple(given), dict(calls or {})
        stated = [f"build({', '.join(given)})"] if given else []
        stated += [f"{call}: {shapes}" for call, shapes in self.calls.items()]
        self.contract = "; ".join([*stated, contract] if contract else stated)

    @property
    def config_key(self) -> str:
        """The key under which configs hold nodes of this registry, e.g. ``audio_encoder``."""
        return self.name.replace(" ", "_")

    def register_module(
        self, name: str | Sequence[str] | None = None, force: bool = False, module: Any = None
    ) -> Any:
        """Register a class or function, mostly as a decorator.

        Args:
            name: one or several; its own where there is none.
            force: replace what has the name.
            module: the class; None returns a decorator.

        Raises:
            KeyError: where the name is taken.
        """
        if module is None:
            return lambda found: self.register_module(name, force, found)
        names = [name] if isinstance(name, str) else name or [module.__name__]
        for key in names:
            if not force and key in self.module_dict:
                taken = self.module_dict[key].__module__
                raise KeyError(f"{key} is already registered in {self.name} by {taken}")
            self.module_dict[key] = module
        return module

    def import_from_location(self) -> None:
        """Import what registers the components, once."""
        if not self._imported:
            with without_transformers():
                for name in [name for place in self.locations for name in _modules_at(place)]:
                    import_module(name)
            self._imported = True

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
        self.import_from_location()
        scope, _, rest = type_.partition(".")
        found = self._known().get(rest if scope in (SCOPE, "mmengine") else type_)
        if found is None and "." in type_:
            found = _at(type_)
        if found is None or not callable(found):
            hint = replacement(type_) or _unregistered(type_, self.name)
            raise UnknownComponentError(unknown_name(self.name, type_, self.names()) + hint)
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

    def describe(self) -> dict[str, Any]:
        """Return the contract and, by name, what components are and which arguments they take.

        A component has its class, as a dotted path, and the first paragraph of its docstring.

        Of an argument: name, need (required, optional, or given by whoever builds), and its
        default as Python writes it, None where it has none.
        """
        components = {}
        for name in self.names():
            component, arguments = self.lookup(name), []
            for key, parameter in parameters_of(component).known.items():
                optional = parameter.default is not parameter.empty
                need = "optional" if optional else "given" if key in self.given else "required"
                default = repr(parameter.default) if optional else None
                arguments.append({"name": key, "need": need, "default": default})
            summary = " ".join((inspect.getdoc(component) or "").partition("\n\n")[0].split())
            path = f"{component.__module__}.{component.__qualname__}"
            components[name] = {"class": path, "summary": summary, "arguments": arguments}
        return {"contract": self.contract, "components": components}

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
        registry: Any = self
        while registry is not None:
            known = {**registry.module_dict, **known}
            registry = registry.parent
        return known


def _at(path: str) -> Any:
    """What an importable module has at a dotted path; None where there is nothing."""
    try:
        return resolve_name(path)
    except (ImportError, AttributeError, ValueError):
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
