"""The core's own keepers of secrets pass the suite that ships for those of others; one that shows secrets does not."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import keyring
import keyring.backend
import pytest

from cambist.config.providers import EncryptedSecrets, EnvironmentSecrets, KeyringSecrets, MountedSecrets
from cambist.config.secrets_file import SecretsFile
from cambist.observe.redaction import REDACTOR
from cambist.testing import SecretProviderTests

KEPT = {"venue-key": "k3y-of-the-venue", "venue-secret": "s3cr3t, ñ 策略\nof two lines"}
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def masked_here_alone(monkeypatch):
    """What these tests have masked must not be masked in others of this process."""
    monkeypatch.setattr(REDACTOR, "_values", REDACTOR._values)
    monkeypatch.setattr(REDACTOR, "_inside", REDACTOR._inside)


@pytest.fixture
def kept():
    return KEPT


class TestTheEnvironment(SecretProviderTests):
    @pytest.fixture
    def provider(self, monkeypatch):
        for name, value in KEPT.items():
            monkeypatch.setenv(name, value)
        return EnvironmentSecrets()


class TestMountedFiles(SecretProviderTests):
    @pytest.fixture
    def provider(self, tmp_path):
        for name, value in KEPT.items():
            (tmp_path / name).write_text(f"{value}\n")
        return MountedSecrets(str(tmp_path))


class TestTheEncryptedFile(SecretProviderTests):
    @pytest.fixture
    def provider(self, tmp_path):
        for name, value in KEPT.items():
            SecretsFile(tmp_path / "secrets", cost=4).put(name, value, PASSPHRASE)
        (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
        return EncryptedSecrets(str(tmp_path / "secrets"), str(tmp_path / "passphrase"))


class Drawer(keyring.backend.KeyringBackend):
    """A keyring as a desktop has one; the machines that run tests have no desktop."""

    priority = 0

    def __init__(self):
        super().__init__()
        self.passwords = {}

    def get_password(self, service, username):
        return self.passwords.get((service, username))

    def set_password(self, service, username, password):
        self.passwords[service, username] = password

    def delete_password(self, service, username):
        del self.passwords[service, username]


class TestTheKeyring(SecretProviderTests):
    @pytest.fixture
    def provider(self):
        before = keyring.get_keyring()
        keyring.set_keyring(Drawer())
        for name, value in KEPT.items():
            keyring.set_password("cambist", name, value)
        yield KeyringSecrets()
        keyring.set_keyring(before)


def test_a_provider_that_shows_secrets_fails_the_suite(tmp_path):
    (tmp_path / "test_chatty.py").write_text(
        dedent(
            """
            import attrs, pytest
            from cambist.testing import SecretProviderTests

            @attrs.define
            class Chatty:
                kept: dict
                def resolve(self, name):
                    print(self.kept.get(name))
                    return self.kept.get(name, "")

            class TestChatty(SecretProviderTests):
                @pytest.fixture
                def kept(self):
                    return {"one": "value-of-one", "two": "value-of-two"}
                @pytest.fixture
                def provider(self, kept):
                    return Chatty(kept)
            """
        )
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
    failed = {line.split("::")[-1].split(" ")[0].split("[")[0] for line in done.stdout.splitlines() if "FAILED" in line}
    assert failed == {
        "test_what_it_has_not_is_none",
        "test_a_strange_name_leads_nowhere",
        "test_nothing_of_it_is_shown",
        "test_nothing_of_it_is_printed",
    }
