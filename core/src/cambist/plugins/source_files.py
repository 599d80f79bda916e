"""Python files of users, imported as modules: from where they are, and from nowhere else."""

from __future__ import annotations

import hashlib
import re
import sys
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import CodeType, ModuleType

__all__ = ["MODULE_PREFIX", "import_source", "importable", "module_name_of"]

#: Modules made of files are called this, the file's name, and what tells apart files of one name.
MODULE_PREFIX = "cambist_user_"


@contextmanager
def importable(folders: Sequence[Path]) -> Iterator[None]:
    """Let the modules beside a file be imported, as they can be by a script there."""
    added = [str(folder) for folder in folders if str(folder) not in sys.path]
    sys.path[:0] = added
    try:
        yield
    finally:
        for name in added:
            if name in sys.path:
                sys.path.remove(name)


def module_name_of(path: Path) -> str:
    """Return what the module of a file is called: an identifier, the same in every process, and no other module's."""
    path = path.absolute()
    stem = re.sub(r"\W", "_", path.stem)
    return f"{MODULE_PREFIX}{stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def import_source(path: Path, source: bytes | None = None) -> ModuleType:
    """Execute a file as a module.

    Parameters
    ----------
    path
        Of the file; modules beside it can be imported meanwhile.
    source
        What is in it, where it has been read already.

    Raises
    ------
    Exception, SystemExit
        Whatever the file raises; nothing of it is kept then.
    """
    path = path.absolute()
    name = module_name_of(path)
    spec = spec_from_file_location(name, path, loader=_Loader(name, path, source))
    assert isinstance(spec, ModuleSpec)
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        with importable([path.parent]):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


class _Loader(SourceFileLoader):
    """Reads the source each time: bytecode left in a user's folder would be in his way, and may be stale."""

    def __init__(self, name: str, path: Path, source: bytes | None) -> None:
        super().__init__(name, str(path))
        self._source = source

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 -- the loader's interface
        source = self.get_data(self.path) if self._source is None else self._source
        code: CodeType = self.source_to_code(source, self.path)
        return code
