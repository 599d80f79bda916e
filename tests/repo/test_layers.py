"""What import-linter cannot say: which room may import which library, and what a plugin may import of the core.

Every import counts, also one inside a function and one for the type checker alone.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core" / "src" / "cambist"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))

# Library -> the rooms of the core that may import it; None is every room.
LIBRARIES = {
    "attrs": None,
    "numpy": None,
    "pandas": None,
    "msgspec": None,
    "pluggy": {"plugins", "api"},
    "numba": {"indicators"},
    "statsmodels": {"indicators"},
    "talib": {"indicators", "cli"},  # the command line asks for its version in `cambist doctor`
    "pyarrow": {"data", "backtest", "testing"},
    "exchange_calendars": {"data"},
    "cronsim": {"strategies"},
    "uvloop": {"app"},
    "structlog": {"observe"},
    "pydantic": {"config", "cli"},
    "pydantic_core": {"config", "cli"},
    "click": {"cli"},
    "rich": {"cli"},
    "pytest": {"testing"},
    "hypothesis": {"testing"},
}
# What a plugin may import of the core; what lies below a package is its own business, save for the model.
PUBLIC = {"cambist", "cambist.api", "cambist.model", "cambist.simulation", "cambist.analysis", "cambist.testing"}


def imports_of(file: Path) -> list[tuple[int, str]]:
    """Return (line, dotted name) of every import; ``from a import b`` is ``a``, since b may be a function."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.relative_to(ROOT)}:{node.lineno}: a relative import; write the absolute one"
            found.append((node.lineno, node.module or ""))
    return found


def core_files() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def room_of(file: Path) -> str:
    first = file.relative_to(CORE).parts[0]
    return first.removesuffix(".py")


def test_each_library_stays_in_its_room():
    wrong = []
    for file in core_files():
        for line, name in imports_of(file):
            library = name.partition(".")[0]
            if library == "cambist" or library in sys.stdlib_module_names:
                continue
            rooms = LIBRARIES.get(library, set())
            if rooms is not None and room_of(file) not in rooms:
                wrong.append(
                    f"{file.relative_to(ROOT)}:{line}: {library} (allowed in: {', '.join(sorted(rooms)) or 'no room'})"
                )
    assert not wrong, "\n".join(["libraries outside their rooms:", *wrong])


def test_the_core_declares_the_libraries_it_imports():
    tables = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*tables["dependencies"], *(one for extra in tables["optional-dependencies"].values() for one in extra)]
    names = {"".join(c if c.isalnum() or c in "-_." else " " for c in one).split()[0].lower() for one in declared}
    names = {{"ta-lib": "talib"}.get(name, name) for name in names}
    imported = {name.partition(".")[0] for file in core_files() for _, name in imports_of(file)}
    foreign = imported - set(sys.stdlib_module_names) - {"cambist", "pydantic_core"}
    assert foreign <= names, f"imported and not declared in core/pyproject.toml: {sorted(foreign - names)}"
    assert names <= foreign, f"declared in core/pyproject.toml and never imported: {sorted(names - foreign)}"


def test_nobody_in_the_core_knows_a_plugin():
    own = {package.name for plugin in PLUGINS for package in (plugin / "src").iterdir() if package.is_dir()}
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in core_files()
        for line, name in imports_of(file)
        if name.partition(".")[0] in own
    ]
    assert not wrong, "\n".join(["the core imports a plugin:", *wrong])


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_the_public_surface_alone(plugin):
    wrong = []
    for file in sorted((plugin / "src").rglob("*.py")):
        own = file.relative_to(plugin / "src").parts[0]
        # The suites of a venue run against the exchange on loopback; nothing else of a plugin knows it.
        shared = {"cambist_ccxt", "cambist_simulator"} if file.name == "conformance.py" else {"cambist_ccxt"}
        for line, name in imports_of(file):
            first = name.partition(".")[0]
            if first == "cambist" and name not in PUBLIC:
                wrong.append(f"{file.relative_to(ROOT)}:{line}: {name} (public: {', '.join(sorted(PUBLIC))})")
            if first.startswith("cambist_") and first not in {own, *shared}:
                wrong.append(f"{file.relative_to(ROOT)}:{line}: {name}, another plugin")
    assert not wrong, "\n".join(["outside the public surface:", *wrong])
