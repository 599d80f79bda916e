"""Every hook is documented with its signature and its example, and has tests."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from textwrap import dedent

import pytest

from cambist.plugins import hookspecs
from cambist.plugins.specs import SPECS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "hooks.md"
SPEC_OF = {spec.hook: spec for spec in SPECS}
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("cambist_"))


def section_of(hook):
    """Return what the page says under the hook's heading."""
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = [part for part in parts if part.splitlines()[0] == hook]
    assert len(found) == 1, f"{PAGE.name} must have one section '## {hook}'; it has {len(found)}"
    return found[0]


def signature_of(hook):
    # Annotations are text in the source; the page shows them without the quotes.
    return f"{hook}{inspect.signature(getattr(hookspecs, hook))}".replace("'", "")


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_documented_with_its_signature(hook):
    assert f"\n`{signature_of(hook)}`\n" in section_of(hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_and_the_docstring_show_the_same_example(hook):
    example = dedent(inspect.getdoc(getattr(hookspecs, hook)).split("::\n\n")[1]).strip()
    assert f"```python\n{example}\n```" in section_of(hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_lists_the_capabilities_that_the_record_lists(hook):
    def words(text):
        _, found, rest = text.partition("Capabilities: ")
        return set(re.findall(r"`+([a-z-]+)`+", rest.split("\n\n")[0])) if found else set()

    record = words(inspect.getdoc(SPEC_OF[hook]))
    assert words(section_of(hook)) == record
    assert bool(record) == ("No capabilities." not in section_of(hook))


@pytest.mark.parametrize("hook", HOOKS)
def test_the_capabilities_of_the_core_are_words_in_use(hook):
    from cambist.plugins.registry import Registry

    listed = set(re.findall(r"``([a-z-]+)``", inspect.getdoc(SPEC_OF[hook])))
    used = {word for spec in Registry.of([], core=True).components() if spec.hook == hook for word in spec.capabilities}
    assert used <= listed


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_record_and_a_test(hook):
    assert SPEC_OF[hook].__name__ in signature_of(hook)
    tests = [*(ROOT / "tests" / "unit" / "plugins").glob("test_*.py"), *(ROOT / "tests" / "plugins").rglob("test_*.py")]
    assert any(re.search(rf"\b{hook}\b", file.read_text(encoding="utf-8")) for file in tests), f"no test names {hook}"


def test_the_page_describes_no_hook_that_is_not_there():
    documented = set(re.findall(r"^## (cambist_\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert documented == set(HOOKS) == set(SPEC_OF)
