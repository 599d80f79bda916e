"""What it costs to know all plugins: none of the libraries behind them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# What a plugin author's import and a list of everything installed must not pay for.
HEAVY = {"asyncio", "click", "pandas", "pyarrow", "pydantic", "rich", "sqlalchemy", "structlog", "talib"}
PROGRAM = "import json, sys\n{statement}\nprint(json.dumps([name for name in {heavy!r} if name in sys.modules]))"


@pytest.mark.parametrize(
    "statement",
    [
        "import cambist.api",
        "import cambist.ports",
        "from cambist.plugins.registry import Registry; assert Registry.discover(environ={}).feeds()",
        "from cambist.plugins.registry import Registry; assert not Registry.discover(environ={}).clashes()",
    ],
    ids=["api", "ports", "discover", "clashes"],
)
def test_registration_imports_no_heavy_library(statement):
    program = PROGRAM.format(statement=statement, heavy=sorted(HEAVY))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


def test_registration_imports_no_component():
    statement = "from cambist.plugins.registry import Registry; Registry.discover(environ={'CAMBIST_PLUGINS': ''})"
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.split(".")[1] for name in json.loads(done.stdout) if name.startswith("cambist.")}
    assert loaded == {"errors", "plugins"}
