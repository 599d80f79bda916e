"""The plugin of one file, `cambist_plugins.py`: found beside a run file alone, not run where others can write it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import attrs

from cambist.errors import PluginLoadError
from cambist.plugins.source_files import import_source, module_name_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from cambist.plugins.specs import Spec

__all__ = ["LOCAL", "LOCAL_FILE", "import_local", "local_file", "own_references"]

#: What the plugin is called in lists and switches.
LOCAL = "local"
#: What its file is called.
LOCAL_FILE = "cambist_plugins.py"
#: Fields of records that name something by its module.
_REFERENCES = ("factory", "config", "environment")


def local_file(beside: Path) -> Path | None:
    """Return the plugin beside a run file, or in a folder; None where there is none."""
    folder = beside if beside.is_dir() else beside.parent
    path = beside if beside.name == LOCAL_FILE else folder / LOCAL_FILE
    # A link that leads nowhere is there, too: who made it expects something of it.
    return path.absolute() if path.exists() or path.is_symlink() else None


def import_local(path: Path, beside: Path) -> ModuleType:
    """Run the plugin of one file.

    What is run is what was looked at: the file is opened once.

    Parameters
    ----------
    path
        Of the plugin.
    beside
        The run file or the folder that was named: whose owner may have written the plugin, since he decides by these
        what is run anyway.

    Raises
    ------
    PluginLoadError
        It cannot be read, or somebody else can write it.
    """
    if not path.is_file():
        raise PluginLoadError(f"{path} is no file that can be read")
    try:
        with path.open("rb") as file:
            problem = _others_of(os.fstat(file.fileno()), path, beside)
            source = file.read()
    except OSError as error:
        raise PluginLoadError(f"{path} cannot be read: {error.strerror or error}") from None
    if problem:
        raise PluginLoadError(f"{problem} Nothing of it was run")
    return import_source(path, source)


def own_references(spec: Spec, path: Path) -> Spec:
    """Return a record whose references to the file by its name, such as ``"cambist_plugins:Rule"``, find its module."""
    stem, module = f"{path.stem}:", module_name_of(path)
    said = {name: getattr(spec, name, None) for name in _REFERENCES}
    own = {name: text for name, text in said.items() if isinstance(text, str) and text.startswith(stem)}
    return attrs.evolve(spec, **{name: f"{module}:{text.removeprefix(stem)}" for name, text in own.items()})


def _others_of(found: os.stat_result, path: Path, beside: Path) -> str:
    """Say who else can write the file; nothing where nobody can, or where the system does not tell."""
    if os.name != "posix":
        return ""
    if found.st_mode & stat.S_IWOTH:
        return f"{path} can be written by everybody (mode {_mode(found)}). Close it: chmod o-w {path}."
    trusted = {0, os.getuid(), beside.stat().st_uid}
    if found.st_uid not in trusted:
        return (
            f"{path} belongs to user {found.st_uid}, and neither to you nor to who owns {beside.name}. Look at it, "
            f"and take it over: chown {os.getuid()} {path}."
        )
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        mode = folder.stat().st_mode
        # In a sticky folder, such as /tmp, nobody can put his own in its place.
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"everybody can exchange the files in {folder} (mode {_mode(folder.stat())}): chmod o-w {folder}."
    return ""


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"
