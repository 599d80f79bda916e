"""An encrypted file gives back what was put into it, and tells of any damage without losing anything."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cambist.config import secrets_file
from cambist.config.secrets_file import SecretsFile
from cambist.errors import ConfigError

PASSPHRASE = "correct horse"
NAMES = st.text("abcdef-._", min_size=1, max_size=6)
#: Whatever a text can hold: line breaks, zeros, halves of characters.
VALUES = st.text(min_size=1, max_size=40) | st.binary(min_size=1, max_size=40).map(lambda b: b.decode("latin-1"))


@pytest.fixture(autouse=True, scope="module")
def not_masked():
    """Keep a thousand random texts out of what the logs of this process mask."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(secrets_file, "register_secret", lambda _: None)
        yield


def file_in(folder, cost=2):
    return SecretsFile(Path(folder) / "secrets", cost=cost)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), st.text(min_size=1))
@settings(max_examples=30)
def test_what_was_put_in_comes_out_and_does_not_stand_there(secrets, passphrase):
    with tempfile.TemporaryDirectory() as folder:
        for name, value in secrets.items():
            assert file_in(folder).put(name, value, passphrase) is False
        assert list(file_in(folder).names(passphrase)) == sorted(secrets)
        assert {name: file_in(folder).get(name, lambda: passphrase) for name in secrets} == secrets
        data = file_in(folder).path.read_bytes()
        assert not any(len(value) > 5 and value.encode(errors="replace") in data for value in secrets.values())
        assert (file_in(folder).path.stat().st_mode & 0o777, len(list(Path(folder).iterdir()))) == (0o600, 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    file = file_in(tmp_path_factory.mktemp("whole"))
    file.put("key", "s3cr3t value", PASSPHRASE)
    return file.path.read_bytes()


DAMAGE = st.one_of(
    st.tuples(st.just("bit"), st.integers(0, 10_000), st.integers(0, 7)),
    st.tuples(st.just("cut"), st.integers(0, 10_000), st.just(0)),
    st.tuples(st.just("more"), st.binary(min_size=1, max_size=5), st.just(0)),
    st.tuples(st.just("other"), st.binary(max_size=200), st.just(0)),
    st.tuples(st.just("forged"), st.integers(0, 10_000), st.integers(0, 7)),
)


@given(damage=DAMAGE)
@settings(max_examples=150)
def test_any_damage_is_told_and_nothing_is_changed_by_it(whole, damage):
    """A bit, an end that is missing, more than there was, something else: told by each way in, and left as it is."""
    kind, what, bit = damage
    data = bytearray(whole)
    if kind in ("bit", "forged"):
        end = len(data) - (32 if kind == "forged" else 0)
        data[what % end] ^= 1 << bit
    if kind == "forged":  # by somebody who knows the format, and not the passphrase
        data[-32:] = hashlib.sha256(data[:-32]).digest()
    if kind == "cut":
        del data[what % len(data) :]
    if kind == "more":
        data += what
    if kind == "other":
        data = bytearray(what)
    with tempfile.TemporaryDirectory() as folder:
        file = file_in(folder)
        file.path.write_bytes(data)
        file.path.chmod(0o600)
        for way_in in (
            lambda: file.names(PASSPHRASE),
            lambda: file.get("key", lambda: PASSPHRASE),
            lambda: file.put("other", "x", PASSPHRASE),
            lambda: file.remove(["key"], PASSPHRASE),
            lambda: file.rotate(PASSPHRASE, "another one"),
        ):
            with pytest.raises(ConfigError) as told:
                way_in()
            assert told.value.code in ("damaged", "wrong_passphrase")
            assert str(file.path) in str(told.value)
        assert file.path.read_bytes() == bytes(data)
        assert [one.name for one in Path(folder).iterdir()] == ["secrets"]


class SecretsLikeADict(RuleBasedStateMachine):
    """Any sequence of commands equals a dict under a passphrase; one that fails half-way changes nothing."""

    def __init__(self):
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.model = {}
        self.passphrase = PASSPHRASE
        self.exists = False

    @property
    def file(self):
        return file_in(self._folder.name)

    @rule(name=NAMES, value=VALUES)
    def put(self, name, value):
        assert self.file.put(name, value, self.passphrase) == (name in self.model)
        self.model[name] = value
        self.exists = True

    @rule(name=NAMES)
    def remove(self, name):
        if self.exists and name in self.model:
            self.file.remove([name], self.passphrase)
            del self.model[name]
        elif self.exists:
            with pytest.raises(ConfigError):
                self.file.remove([*self.model, name], self.passphrase)

    @rule(new=st.sampled_from(["one more passphrase", "Größe 策略", PASSPHRASE]))
    def rotate(self, new):
        if self.exists:
            assert self.file.rotate(self.passphrase, new) == len(self.model)
            self.passphrase = new

    @rule(name=NAMES, value=VALUES, step=st.sampled_from(["fsync", "replace"]))
    def fail(self, name, value, step):
        if self.exists:
            with pytest.MonkeyPatch.context() as patched:

                def broken(*_):
                    raise OSError(28, "No space left on device")

                patched.setattr(*((secrets_file.os, "fsync") if step == "fsync" else (Path, "replace")), broken)
                with pytest.raises(ConfigError, match="No space left on device"):
                    self.file.put(name, value, self.passphrase)

    @rule()
    def wrong(self):
        if self.exists:
            with pytest.raises(ConfigError) as told:
                self.file.names(self.passphrase + "x")
            assert told.value.code == "wrong_passphrase"

    @invariant()
    def the_same(self):
        if self.exists:
            assert {name: self.file.get(name, lambda: self.passphrase) for name in self.model} == self.model
            assert list(self.file.names(self.passphrase)) == sorted(self.model)

    def teardown(self):
        self._folder.cleanup()


TestSecretsLikeADict = SecretsLikeADict.TestCase
TestSecretsLikeADict.settings = settings(max_examples=20, stateful_step_count=12)
