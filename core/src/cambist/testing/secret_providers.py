"""What somebody who keeps secrets has to do."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from cambist.errors import CambistError
from cambist.ports.secrets import SecretProvider
from cambist.testing.conformance import Suite

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SecretProviderTests"]

#: Names that nobody has.
_NOBODYS = ("no-such-secret-here", "no/such/secret", "NO_SUCH_SECRET.2")
#: What somebody may try who can write a run file.
_STRANGE = ("../no-such-secret", "/etc/no-such-secret", "no-such$(true)", "no-such;true", "ключ")


class SecretProviderTests(Suite):
    """Tests of a `SecretProvider`.

    The test file or a ``conftest.py`` gives two fixtures: ``provider``, and ``kept``, the secrets that it keeps by
    their names, two at least.
    """

    prefix = "SEC"

    def test_it_is_one(self, provider: SecretProvider) -> None:
        """It has the method of a provider."""
        assert isinstance(provider, SecretProvider)

    def test_it_gives_out_what_it_keeps(self, provider: SecretProvider, kept: Mapping[str, str]) -> None:
        """Each secret by its name, to the last letter, and the same each time."""
        assert len(kept) >= 2
        for _ in range(2):
            assert {name: provider.resolve(name) for name in kept} == dict(kept)

    @pytest.mark.parametrize("name", _NOBODYS)
    def test_what_it_has_not_is_none(self, provider: SecretProvider, name: str) -> None:
        """A name that nobody knows has no secret: neither an error, nor an empty text."""
        assert provider.resolve(name) is None

    @pytest.mark.parametrize("name", _STRANGE)
    def test_a_strange_name_leads_nowhere(self, provider: SecretProvider, name: str) -> None:
        """A name that leads out of its place, or is meant for a shell, has no secret or is an error of ours."""
        try:
            assert provider.resolve(name) is None
        except CambistError as error:
            assert str(error)  # noqa: PT017 - either is right

    def test_nothing_of_it_is_shown(
        self, provider: SecretProvider, kept: Mapping[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """No secret is in a log, on a stream, or in what the provider prints as, before and after it was given out."""
        with caplog.at_level(logging.DEBUG):
            said = [repr(provider), str(provider)]
            for name in kept:
                provider.resolve(name)
            for name in _NOBODYS:
                provider.resolve(name)
            said += [repr(provider), str(provider), caplog.text]
        for value in kept.values():
            assert not any(value in text for text in said), "a secret is shown"

    def test_nothing_of_it_is_printed(
        self, provider: SecretProvider, kept: Mapping[str, str], capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Giving one out writes nothing to stdout or stderr, where a supervisor keeps it."""
        for name in kept:
            provider.resolve(name)
        told = capfd.readouterr()
        for value in kept.values():
            assert value not in told.out + told.err, "a secret is printed"

    def test_several_threads_may_ask(self, provider: SecretProvider, kept: Mapping[str, str]) -> None:
        """Sessions and channels of a run ask at the same time."""
        names = [*kept] * 8
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(provider.resolve, names)) == [kept[name] for name in names]
