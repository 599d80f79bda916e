"""Writes down what others may rely on: ``python scripts/signatures.py`` writes ``tests/repo/signatures.txt``.

Every public name with its signature, a line each, so that a change of the API is a change of this file that somebody
reads. What a change asks for is in ``VERSIONING.md``.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import attrs
import msgspec

FILE = Path(__file__).parents[1] / "tests/repo/signatures.txt"
#: The modules whose names are promised; what several of them offer is written down in the first.
MODULES = [
    "cambist.model",
    "cambist.api",
    "cambist.plugins.hookspecs",
    "cambist.testing",
    "cambist.analysis",
    "cambist",
]
#: Modules of which the names are promised: their functions are made, or their classes are used through what is above.
NAMES_ALONE = ["cambist.indicators", "cambist.simulation"]
#: Written by pydantic, attrs, enum and pytest, and no names of ours.
_FOREIGN = re.compile(r"^(model_.*|pytestmark)$")


def value_of(value: Any) -> str:
    """Return a default so that it is the same on every machine and in every version of Python."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if isinstance(value, tuple | list | frozenset | set) and len(value) < 8:
        inside = ", ".join(sorted(map(value_of, value)) if isinstance(value, set | frozenset) else map(value_of, value))
        return f"{type(value).__name__}({inside})"
    return "..."


def annotation_of(annotation: Any) -> str:
    """Return an annotation as it stands in the source."""
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def signature_of(function: Any) -> str:
    """Return the parameters of a function, and what it returns."""
    if hasattr(function, "__struct_fields__"):
        return struct_signature(function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    parts, star = [], False
    parameters = list(signature.parameters.values())
    for number, one in enumerate(parameters):
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or one.kind is inspect.Parameter.VAR_POSITIONAL
        mark = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(one.kind, "")
        annotation = annotation_of(one.annotation)
        text = f"{mark}{one.name}" + (f": {annotation}" if annotation else "")
        parts.append(text if one.default is inspect.Parameter.empty else f"{text} = {value_of(one.default)}")
        following = parameters[number + 1].kind if number + 1 < len(parameters) else None
        if one.kind is inspect.Parameter.POSITIONAL_ONLY and following is not inspect.Parameter.POSITIONAL_ONLY:
            parts.append("/")
    returns = annotation_of(signature.return_annotation)
    return f"({', '.join(parts)})" + (f" -> {returns}" if returns else "")


def struct_signature(kind: Any) -> str:
    """Return the fields of a struct of msgspec, whose own signature asks for every name in its annotations."""
    annotations: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        annotations.update(inspect.get_annotations(base) if is_ours(base) else {})
    fields = kind.__struct_fields__
    defaults = [msgspec.NODEFAULT] * (len(fields) - len(kind.__struct_defaults__)) + list(kind.__struct_defaults__)
    parts = []
    for number, (name, default) in enumerate(zip(fields, defaults, strict=True)):
        if number == by_place(kind):
            parts.append("*")
        text = f"{name}: {annotation_of(annotations[name])}"
        parts.append(text if default is msgspec.NODEFAULT else f"{text} = {value_of(default)}")
    return f"({', '.join(parts)})"


def by_place(kind: Any) -> int:
    """Return how many fields of a struct may be given by their place; it says so only when it is made."""
    fields = kind.__struct_fields__
    for count in range(len(fields), 0, -1):
        try:
            kind(*[None] * count, **dict.fromkeys(fields[count:]))
        except TypeError:
            continue
        return count
    return 0


def is_ours(owner: type) -> bool:
    """Say whether a class is of this project, and not of Python or a library."""
    return owner.__module__.partition(".")[0].startswith("cambist")


def member_lines(owner: type) -> dict[str, str]:
    """Return a line for each public member of a class, inherited ones too, by its name."""
    found: dict[str, str] = {}
    for base in reversed([one for one in owner.__mro__ if is_ours(one)]):
        for name, annotation in inspect.get_annotations(base).items():
            found[name] = f"{name}: {annotation_of(annotation)}"
        for name, member in vars(base).items():
            if isinstance(member, property):
                returns = annotation_of(inspect.signature(member.fget).return_annotation) if member.fget else ""
                found[name] = f"{name}: {returns}  [property]"
            elif isinstance(member, staticmethod | classmethod):
                found[name] = f"{name}{signature_of(member.__func__)}  [{type(member).__name__}]"
            elif inspect.isfunction(member):
                found[name] = f"{'async ' if inspect.iscoroutinefunction(member) else ''}{name}{signature_of(member)}"
    return {name: line for name, line in found.items() if not name.startswith("_") and not _FOREIGN.match(name)}


def class_lines(name: str, kind: type) -> list[str]:
    """Return the lines of a class: how it is made, and its members."""
    if issubclass(kind, enum.Enum):
        return [f"{name}: enum", *(f"{name}.{one.name} = {value_of(one.value)}" for one in kind)]
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    made = "" if getattr(kind, "_is_protocol", False) or issubclass(kind, BaseException) else signature_of(kind)
    members = member_lines(kind)
    if attrs.has(kind) or hasattr(kind, "__struct_fields__"):  # fields of the signature are there already
        inside = set(getattr(kind, "__struct_fields__", ()) or inspect.signature(kind).parameters)
        members = {key: line for key, line in members.items() if key not in inside or "(" in line.partition(":")[0]}
    return [f"{name}{made}: class({bases})", *(f"{name}.{members[key]}" for key in sorted(members))]


def lines() -> list[str]:
    """Return the lines of the file."""
    found = ["# What others may rely on, written by scripts/signatures.py; VERSIONING.md says what a change asks for."]
    homes: dict[int, str] = {}
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        found += ["", f"[{module_name}]"]
        for name in sorted(set(module.__all__) - {"__version__"}):
            value: Any = getattr(module, name)
            if inspect.ismodule(value):  # `cambist.backtest` is a room, too, that can be called
                value = getattr(value, name)
            place = f"{module_name}.{name}"
            shared = inspect.isclass(value) or inspect.isfunction(value)
            if shared and homes.setdefault(id(value), place) != place:
                found.append(f"{name} = {homes[id(value)]}")
            elif inspect.isclass(value):
                found += class_lines(name, value)
            elif inspect.isfunction(value):
                found.append(f"{name}{signature_of(value)}")
            else:
                found.append(f"{name}: {type(value).__name__}")
    for module_name in NAMES_ALONE:
        names = sorted(importlib.import_module(module_name).__all__)
        found += ["", f"[{module_name}]", *(f"{module_name}.{name}" for name in names)]
    return found


def verdict(before: list[str], after: list[str]) -> str:
    """Return what a change asks for, in words; nothing where there is none.

    Parameters
    ----------
    before, after
        The lines that are promised, and those of the sources.
    """
    gone = [line for line in before if line not in set(after)]
    new = [line for line in after if line not in set(before)]
    promises = {line.partition(":")[0] for line in after if line.endswith("class(Protocol)")}
    asked = [line for line in new if line.partition(".")[0] in promises and line.partition(":")[0] not in promises]
    parts = []
    if gone:
        parts += ["Gone, or changed. Code that relies on it may break:", *(f"  - {line}" for line in gone)]
    if new:
        parts += ["New:", *(f"  + {line}" for line in new)]
    if not parts:
        return ""
    if asked:
        parts += [
            "Asked of everybody who keeps a promise, and so a break for plugins:",
            *(f"  ! {line}" for line in asked),
        ]
    if gone or asked:
        parts.append(
            "VERSIONING.md: what is used goes by a deprecation (cambist.deprecations) and a version later, with the "
            "minor number before 1.0 and the major number from then on; what is asked of plugins is optional at first."
        )
    else:
        parts.append("VERSIONING.md: additions take the patch number before 1.0, the minor number from then on.")
    return "\n".join(
        [*parts, "If that is meant, tell users of it in CHANGELOG.md and run: python scripts/signatures.py"]
    )


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
