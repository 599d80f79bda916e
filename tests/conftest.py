"""What every test gets: the same random examples each run, no settings of the caller's, and the way to outside data."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# One profile for everybody, so that a red run can be repeated. Look for new counterexamples with
# `scripts/test --hypothesis-profile=explore`, or `soak`, which takes hours over everything: name a file. A deadline
# would measure the machine, not the code. Examples hang on what is imported by then, whose constants are tried too: a
# test that fails in a whole run alone is repeated by the line that it prints.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.register_profile("soak", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer what a soak test asks for."""
    parser.addoption("--kills", type=int, default=10, help="how many processes the kill tests kill, each")
    parser.addoption("--orders", type=int, default=20_000, help="how many orders a live run makes to show flat memory")
    parser.addoption("--matrix", choices=("some", "all"), default="some", help="cells of the fault matrix")
    parser.addoption("--storm", type=float, default=20.0, help="how long the storm of faults and kills lasts, seconds")
    parser.addoption("--storm-seed", type=int, default=None, help="of the storm; what it prints when it fails")


def pytest_configure() -> None:
    """Take the caller's own settings of Cambist out of the environment; a test sets what it needs."""
    for name in list(os.environ):
        if name.startswith("CAMBIST_") and not name.startswith("CAMBIST_TEST_"):
            del os.environ[name]
    # Live runs of tests are not listed among the user's own.
    os.environ["CAMBIST_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="cambist-tests-")


def pytest_collection_finish() -> None:
    """Take what was imported and collected, millions of objects, out of the cycle collector's sight."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    folder = os.environ.get("CAMBIST_RUNTIME_DIR", "")
    if "cambist-tests-" in folder:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def thawed() -> Iterator[None]:
    """Let the cycle collector see everything, as in a process that has frozen nothing."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.fixture(scope="session")
def soak_orders(request: pytest.FixtureRequest) -> int:
    """Return how many orders a live run makes to show that its memory stays flat."""
    return int(request.config.getoption("--orders"))


@pytest.fixture(scope="session")
def outside_data() -> Path:
    """Return the folder of market data files that do not come with the repository."""
    name = os.environ.get("CAMBIST_TEST_DATA")
    if not name:
        pytest.skip("needs CAMBIST_TEST_DATA, a folder of market data files")
    folder = Path(name)
    if not folder.is_dir():
        pytest.fail(f"CAMBIST_TEST_DATA names {name!r}, which is not a folder")
    return folder
