"""From a URL to a storage: what a path in it means, and what is refused before anything is made."""

from __future__ import annotations

from types import ModuleType

import pytest

from cambist.api import ConfigError, StorageError, StorageSpec, hookimpl, path_in_url
from cambist.app.storage import opened_storage, read_all, resolved_url, upgrade_storage
from cambist.plugins.registry import Registry


class Acme:
    """A storage that notes when it is opened and upgraded."""

    opened: list = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, url):
        self.opened.append(url)

    @classmethod
    def upgrade(cls, url):
        cls.opened.append(url)
        return "done"

    def close(self):
        pass


@pytest.fixture
def registry():
    @hookimpl
    def cambist_storages():
        with_path = ["durable", "path", "versioned"]
        return [
            StorageSpec(name="acme-vault", factory=Acme, summary="A vault", capabilities=with_path),
            StorageSpec(name="acme", factory=Acme, summary="A server"),
        ]

    Acme.opened.clear()
    module = ModuleType("acme")
    module.cambist_storages = cambist_storages
    return Registry.of([module], strict=True)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("acme-vault:runs", "runs"),
        ("acme-vault:deep/runs", "deep/runs"),
        ("acme-vault:/deep/runs", "/deep/runs"),
        ("acme-vault:///runs", "runs"),
        ("acme-vault:////deep/runs", "/deep/runs"),
        ("acme-vault://host/runs", ""),
        ("acme-vault://", ""),
        ("acme-vault:", ""),
    ],
)
def test_the_path_in_a_url_is_read_in_every_form(url, path, registry, tmp_path):
    assert path_in_url(url) == path
    resolved = resolved_url(url, registry, tmp_path)
    assert path_in_url(resolved) == (str(tmp_path / path) if path else "")
    assert resolved_url(resolved, registry, tmp_path / "elsewhere") == resolved


def test_a_url_without_a_path_stays_as_it_is(registry, tmp_path):
    for url in ("acme:runs", "acme:///runs", "acme://user@host/runs"):
        assert resolved_url(url, registry, tmp_path) == url


@pytest.mark.parametrize("form", ["acme-vault:{}", "acme-vault:///{}"])
def test_a_path_where_there_is_nothing_is_refused_before_the_storage_is_opened(form, registry, tmp_path):
    url = form.format(tmp_path / "typo")
    for refused in (lambda: opened_storage(url, registry, existing=True).__enter__(), lambda: read_all(url, registry)):
        with pytest.raises(StorageError, match=f"there is nothing at {tmp_path / 'typo'}"):
            refused()
    with pytest.raises(StorageError, match="there is nothing at"):
        upgrade_storage(url, registry)
    assert Acme.opened == []
    (tmp_path / "typo").touch()
    assert upgrade_storage(url, registry) == "done"
    with opened_storage(url, registry, existing=True):
        pass
    assert Acme.opened == [url, url]


def test_a_storage_that_names_no_store_is_not_said_to_be_whole(registry):
    with pytest.raises(ConfigError, match="acme says of no store that it has it"):
        read_all("acme:", registry)


@pytest.mark.parametrize("url", ["mine.db", ":mine", "my file:mine", "/mine"])
def test_what_has_no_scheme_is_told_without_being_shown(url, registry):
    with pytest.raises(ConfigError, match="has no scheme") as refused, opened_storage(url, registry):
        pass
    assert "mine" not in str(refused.value)  # it may hold a password
