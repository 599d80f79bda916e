"""Writes the package of a new plugin, complete and passing its own tests, from the templates beside this file."""

from __future__ import annotations

import re
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

import attrs

from cambist.errors import ConfigError, InputError, did_you_mean
from cambist.plugins.discovery import API, core_version
from cambist.plugins.specs import NAME_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["KINDS", "LICENSES", "Kind", "Scaffold"]

_TEMPLATES = "templates"
#: Ending of a template, so that no tool takes it for what it becomes.
_ENDING = ".in"


@attrs.frozen
class Kind:
    """What a package may be begun with.

    Attributes
    ----------
    module
        Of the work.
    summary
        What that does.
    ours
        Distributions of Cambist that it needs beyond the core; they are released with it.
    needs
        Other distributions that it needs.
    tested_by
        Distributions of Cambist that its tests need.
    """

    module: str
    summary: str
    ours: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    tested_by: tuple[str, ...] = ()


KINDS = {
    "analyzer": Kind("measure", "Mean drawdown of a run"),
    "broker": Kind("broker", "Fills at the open of the next bar, for a fee"),
    "exchange": Kind(
        "session",
        "Spot of an exchange, over its own protocol",
        ours=("cambist-ccxt",),
        needs=("aiohttp>=3.10", "msgspec>=0.19", "numpy>=2.0", "pydantic>=2.7", "yarl>=1.9"),
        tested_by=("cambist-simulator",),
    ),
    "feed": Kind("feed", "Bars from a NumPy archive"),
    "indicator": Kind("indicator", "How straight the way of the price was"),
    "notifier": Kind("channel", "Appends notices to a file of JSON lines"),
    "risk": Kind("rule", "Opens positions at certain hours only"),
    "sink": Kind("sink", "Orders and fills in a file of CSV"),
    "storage": Kind("store", "State in a file of SQLite"),
    "strategy": Kind("strategy", "Buys after a run of falling closes in a rising market"),
}
#: What a package may be licensed under; ``none`` writes no license file.
LICENSES = ("Apache-2.0", "MIT", "none")
#: Where the files of the package common to all kinds go.
_SHARED = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "workflow.yml": ".github/workflows/tests.yml",
    "init.py": "src/{package}/__init__.py",
    "test_conformance.py": "tests/test_conformance.py",
}


class _Text(Template):
    """A template whose placeholders look like nothing that is written in the files: ``@@{name}``."""

    delimiter = "@@"


@attrs.frozen
class Scaffold:
    """A package that is to be written.

    Parameters
    ----------
    kind
        One of `KINDS`.
    name
        Of the plugin and of what it offers.
    license
        One of `LICENSES`.
    author, year
        For the license and the package's metadata.

    Raises
    ------
    InputError
        For a name, kind or license that cannot be used.
    """

    kind: str
    name: str
    license: str = "Apache-2.0"
    author: str = "The authors"
    year: int = 2026

    def __attrs_post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"there is no kind {self.kind!r} to begin with.{did_you_mean(self.kind, KINDS)}")
        if not NAME_PATTERN.fullmatch(self.name) or self.name.endswith("-") or "--" in self.name:
            raise InputError(
                f"a plugin cannot be called {self.name!r}: use lower-case letters, digits and single hyphens, a letter "
                "first, such as 'my-pager'."
            )
        if self.license not in LICENSES:
            raise InputError(f"there is no license {self.license!r} here; take one of {', '.join(LICENSES)}.")
        if not self.author.strip() or re.search(r'["\\\n]', self.author):
            raise InputError(f"the author is {self.author!r}: give a name without quotes, backslashes and new lines.")

    @property
    def distribution(self) -> str:
        """What pip calls the package."""
        return f"cambist-{self.name}"

    @property
    def package(self) -> str:
        """What Python calls it."""
        return self.distribution.replace("-", "_")

    def files(self) -> dict[str, str]:
        """Return the text of each file by its path in the package's folder."""
        kind = KINDS[self.kind]
        root = resources.files(__package__) / _TEMPLATES
        own = root / self.kind
        words = self._words(kind) | {"config_row": self._config_row(own)}
        words["usage"] = _filled(own / "usage.md.in", words).strip()
        made = {
            place.format(package=self.package): _filled(root / "package" / (file + _ENDING), words)
            for file, place in _SHARED.items()
        }
        if self.license != "none":
            made["LICENSE"] = _filled(root / "licenses" / (self.license + _ENDING), words)
        made[f"src/{self.package}/py.typed"] = ""
        for file in _modules(own):
            name = file.name.removesuffix(_ENDING)
            place = f"tests/test_{words['function']}.py" if name == "test.py" else f"src/{self.package}/{name}"
            made[place] = _filled(file, words)
        return dict(sorted(made.items()))

    def write(self, folder: Path) -> list[str]:
        """Write the package into a folder that is not there yet, or is empty, and return the paths of its files.

        Raises
        ------
        ConfigError
            If the folder holds something, or cannot be written.
        """
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise ConfigError(f"{folder} is there already, and nothing in it is replaced: choose another --dir.")
            files = self.files()
            for place, text in files.items():
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{folder}: the package cannot be written: {error}.") from error
        return list(files)

    def _words(self, kind: Kind) -> dict[str, str]:
        # A release keeps what plugins were written for until its first number changes; before 1.0, its second.
        major, minor = (int(part) for part in [*core_version().split("."), "0"][:2])
        until = f"{major + 1}" if major else f"0.{minor + 1}"
        ours = f">={major}.{minor},<{until}"
        needs = [f"{name}{ours}" for name in ("cambist", *kind.ours)]
        tests = [f"{name}{ours}" for name in ("cambist[testing]", *kind.tested_by)]
        return {
            "api": str(API),
            "author": self.author,
            "constant": self.name.replace("-", "_").upper(),
            "distribution": self.distribution,
            "function": self.name.replace("-", "_"),
            "label": self.kind,
            "license_field": "" if self.license == "none" else f'license = "{self.license}"\n',
            "module": kind.module,
            "name": self.name,
            "needs": _listed([*needs, *kind.needs]),
            "package": self.package,
            "summary": kind.summary,
            "test_needs": _listed([*tests, "mypy>=1.11", "ruff>=0.6"]),
            "title": "".join(part.capitalize() for part in self.name.split("-")),
            "year": str(self.year),
        }

    def _config_row(self, own: Traversable) -> str:
        if not (own / "config.py.in").is_file():
            return ""
        return f"| `src/{self.package}/config.py` | what may be set, and its checks |\n"


def _modules(own: Traversable) -> Iterator[Traversable]:
    return (file for file in own.iterdir() if file.name.endswith(".py" + _ENDING))


def _filled(file: Traversable, words: dict[str, str]) -> str:
    return _Text(file.read_text(encoding="utf-8")).substitute(words)


def _listed(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
