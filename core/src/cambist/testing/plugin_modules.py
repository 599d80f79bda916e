"""What the module of every plugin has to hold, whatever it offers."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from cambist.config.secrets import Secret
from cambist.plugins.registry import Registry
from cambist.plugins.weight import HEAVY, weighs
from cambist.testing.conformance import Suite

if TYPE_CHECKING:
    from cambist.plugins.specs import Spec

__all__ = ["PluginTests"]

_IMPORTED = """
import importlib, json, sys
import cambist.api
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""
#: Parts of a setting's name that tell of something nobody may see.
_SECRET = ("password", "passphrase", "secret", "token", "api_key", "webhook")


class PluginTests(Suite):
    """Tests of the module that an entry point in ``cambist.v1`` names.

    Attributes
    ----------
    module
        Its name, such as ``"cambist_pager.plugin"``.

    Examples
    --------
    ::

        class TestPlugin(PluginTests):
            module = "cambist_pager.plugin"
    """

    prefix = "PLG"
    module: ClassVar[str] = ""

    @cached_property
    def components(self) -> list[Spec]:
        """The records of the module."""
        assert self.module, "say which module: module = 'my_package.plugin'"
        module = import_module(self.module)
        return Registry.of([module], strict=True).components(module.__name__)

    def test_it_registers(self) -> None:
        """It is taken by a strict registry, and offers at least one component."""
        assert self.components

    def test_it_is_light(self) -> None:
        """Importing it costs no heavy library: records name their factories as text."""
        told = subprocess.run(  # noqa: S603 - this interpreter, and a name of ours
            [sys.executable, "-c", _IMPORTED, self.module], capture_output=True, text=True, timeout=120, check=False
        )
        assert told.returncode == 0, told.stderr
        heavy = HEAVY & set(json.loads(told.stdout.splitlines()[-1]))
        assert not heavy, f"{self.module}: {weighs(sorted(heavy))}"

    def test_every_component_says_what_it_is(self) -> None:
        """Each record has a summary of one line, which lists of everything show."""
        without = [str(spec) for spec in self.components if not spec.summary.strip() or "\n" in spec.summary]
        assert not without, f"no summary of one line: {', '.join(without)}"

    def test_every_factory_is_there(self) -> None:
        """Each factory and each config class can be imported."""
        for spec in self.components:
            assert callable(spec.load())
            spec.load_config()

    def test_settings_are_explained(self) -> None:
        """Each field of a config class has a description, and nothing is taken that has no field."""
        for spec in self.components:
            config: Any = spec.load_config()
            if not _fields(config):
                continue
            silent = [name for name, field in _fields(config).items() if not field.description]
            assert not silent, f"{config.__name__} does not describe {', '.join(silent)}: Field(description=...)"
            assert config.model_config.get("extra") == "forbid", f"{config.__name__} takes misspelt names silently"

    def test_secrets_are_of_their_type(self) -> None:
        """A setting whose name tells of a secret is a `cambist.api.Secret`, which never shows itself."""
        for spec in self.components:
            for name, field in _fields(spec.load_config()).items():
                if any(part in name.lower() for part in _SECRET):
                    shown = repr(field.annotation)
                    assert Secret.__name__ in shown, f"{spec}: {name} is {shown}; annotate it with cambist.api.Secret"


def _fields(config: Any) -> dict[str, Any]:
    """Return the fields of a pydantic model; none of anything else."""
    return dict(getattr(config, "model_fields", {}))
