"""`cambist secrets`: what is kept is never an argument and never shown; what goes wrong is told and loses nothing."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from cambist.app.live_file import read_live_file
from cambist.cli.main import root
from cambist.config import secrets_file
from cambist.config.layers import read_document
from cambist.config.providers import lookup_of
from cambist.config.secrets import Secret
from cambist.errors import ConfigError, MissingDependencyError
from cambist.observe.redaction import REDACTOR
from cambist.plugins.registry import Registry

VALUE = "s3cr3t-v4lue-of-the-key"
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def masked_here_alone(monkeypatch):
    """What these tests have masked must not be masked in others of this process."""
    monkeypatch.setattr(REDACTOR, "_values", REDACTOR._values)
    monkeypatch.setattr(REDACTOR, "_inside", REDACTOR._inside)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    # The real cost takes tenths of a second and 128 MiB for each key.
    monkeypatch.setattr(secrets_file.SecretsFile.__init__, "__kwdefaults__", {"cost": 4})
    monkeypatch.setattr(secrets_file, "_KEYS", {})
    monkeypatch.setenv("CAMBIST_SECRETS_FILE", str(tmp_path / "kept" / "secrets"))
    monkeypatch.setenv("CAMBIST_SECRETS_PASSPHRASE", PASSPHRASE)
    return tmp_path / "kept" / "secrets"


def call(*words, value=None, env=None, code=0):
    """Run a command; its output and any error as text, in which no secret is."""
    done = CliRunner().invoke(root, ["secrets", *words], input=value, env=env)
    told = done.output + str(done.exception or "") + repr(done.exception)
    assert VALUE not in told
    assert PASSPHRASE not in told
    if code == 0:
        assert done.exit_code == 0, told
    else:
        assert done.exit_code == code or isinstance(done.exception, ConfigError), told
    return told


def test_a_secret_is_set_listed_used_and_removed(place):
    assert "kept; a run file names it: secret://encrypted/binance-key" in call("set", "binance-key", value=f"{VALUE}\n")
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert VALUE.encode() not in place.read_bytes()
    assert Secret.parse("secret://encrypted/binance-key").reveal() == VALUE
    assert "replaced" in call("set", "binance-key", value="another value")
    assert Secret.parse("secret://encrypted/binance-key").reveal() == "another value"
    call("set", "other", value=VALUE)
    listed = json.loads(CliRunner().invoke(root, ["secrets", "list", "--json"]).stdout)
    assert (listed["file"], list(listed["secrets"])) == (str(place), ["binance-key", "other"])
    assert "binance-key" in call("list")
    assert "removed binance-key" in call("rm", "binance-key", "--yes")
    with pytest.raises(ConfigError, match=r"the secret secret://encrypted/binance-key: encrypted has no secret"):
        Secret.parse("secret://encrypted/binance-key").reveal()


def test_a_value_is_no_argument_and_is_not_shown(place):
    told = call("set", "key", VALUE, value="", code=2)
    assert "a secret is no argument: everybody on this machine sees a command line" in told
    assert not place.exists()


@pytest.mark.parametrize(
    ("words", "value", "told"),
    [
        (["set", "a b"], VALUE, "'a b' is no name of a secret"),
        (["set", "../up"], VALUE, "is no name of a secret"),
        (["set", "key"], "", "nothing came in for key; nothing was changed"),
        (["set", "key"], b"\xff\xfe" + VALUE.encode(), "what came in is no text in UTF-8"),
        (["set", "key"], VALUE * 5_000, "has more than 65536 bytes"),
        (["list"], None, "there is no secrets file"),
        (["rotate"], None, "there is no secrets file"),
    ],
)
def test_what_cannot_be_done(place, words, value, told):
    assert told in call(*words, value=value, code=2)
    assert not place.exists()


def test_a_wrong_passphrase_and_a_damaged_file_are_told_and_change_nothing(place):
    call("set", "key", value=VALUE)
    whole = place.read_bytes()
    wrong = {"CAMBIST_SECRETS_PASSPHRASE": "another passphrase"}
    for words in (["list"], ["set", "key"], ["rm", "key", "--yes"], ["rotate"]):
        assert f"the passphrase does not open {place}" in call(*words, value=VALUE, env=wrong, code=2)
    assert "has no secret 'kye'; it has: key. Nothing was removed" in call("rm", "key", "kye", "--yes", code=2)
    assert place.read_bytes() == whole
    place.write_bytes(whole[:-1])
    for words in (["list"], ["set", "key"], ["rm", "key", "--yes"], ["rotate"]):
        assert "is damaged: its checksum is another one. It was left as it is" in call(*words, value=VALUE, code=2)
    assert place.read_bytes() == whole[:-1]


def test_a_file_that_others_can_read_is_not_used(place):
    call("set", "key", value=VALUE)
    place.chmod(0o640)
    assert f"is open to other users (mode 0640). Close it: chmod 600 {place}" in call("list", code=2)


def test_rotate_encrypts_anew(place, tmp_path):
    call("set", "key", value=VALUE)
    old = place.read_bytes()
    new = tmp_path / "new"
    new.write_text("a new passphrase\n")
    assert "the new passphrase is the old one" in call(
        "rotate", env={"CAMBIST_SECRETS_NEW_PASSPHRASE": PASSPHRASE}, code=2
    )
    assert "has 5 characters, and is guessed too soon" in call(
        "rotate", env={"CAMBIST_SECRETS_NEW_PASSPHRASE": "short"}, code=2
    )
    assert place.read_bytes() == old
    assert "1 secret encrypted anew" in call("rotate", "--new-passphrase-file", str(new))
    assert "does not open" in call("list", code=2)
    assert "key" in call("list", "--passphrase-file", str(new))
    assert "key" in call("list", env={"CAMBIST_SECRETS_PASSPHRASE_FILE": str(new)})
    assert place.read_bytes()[:40] != old[:40]  # another salt


def test_without_a_passphrase_nobody_waits_for_one(place, monkeypatch):
    call("set", "key", value=VALUE)
    monkeypatch.delenv("CAMBIST_SECRETS_PASSPHRASE")
    told = call("list", code=2)
    assert "nobody can be asked here. Set CAMBIST_SECRETS_PASSPHRASE_FILE to a file with it" in told
    assert "there is no file" in call("list", "--passphrase-file", str(place.with_name("none")), code=2)


def test_at_a_terminal_it_is_asked_for(place, monkeypatch):
    """Twice where it is a new one; what is typed is not shown."""
    monkeypatch.delenv("CAMBIST_SECRETS_PASSPHRASE")
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    typed = iter([PASSPHRASE, "a slip", PASSPHRASE, PASSPHRASE, VALUE])
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or next(typed))
    call("set", "key")
    assert [one.partition(" of ")[0] for one in asked] == [
        "New passphrase", "Once more: ", "New passphrase", "Once more: ", "key: ",
    ]  # fmt: skip
    assert secrets_file.SecretsFile(place).get("key", lambda: PASSPHRASE) == VALUE


def test_without_cryptography_the_package_is_named(place, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.kdf.scrypt", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'cambist\[secrets\]'"):
        secrets_file.SecretsFile(place).put("key", VALUE, PASSPHRASE)


def test_a_run_file_names_providers_with_settings(tmp_path, place, monkeypatch):
    call("set", "key", value=VALUE)
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "venue-secret").write_text("mounted-value\n")
    (tmp_path / "cambist_plugins.py").write_text(
        "from cambist.api import SecretProviderSpec, hookimpl\n"
        "class Vault:\n"
        "    def __init__(self, address: str):\n        self.address = address\n"
        "    def resolve(self, name):\n        return f'{name} of {self.address}'\n"
        "@hookimpl\ndef cambist_secret_providers():\n    return [SecretProviderSpec(name='vault', factory=Vault)]\n"
    )
    (tmp_path / "run.toml").write_text(
        '[strategy]\nuse = "sma-cross"\n[data]\nsymbol = "BTC/USDT"\ntimeframe = "1m"\n'
        '[live]\nvenue = "binance-spot"\nenvironment = "testnet"\n'
        '[live.settings]\nkey = "secret://encrypted/key"\nsecret = "secret://mount/venue-secret"\n'
        '[[notify]]\nuse = "webhook"\nurl = "secret://vault/hooks/pager"\n'
        f'[secrets.mount]\nfolder = "{tmp_path / "mounted"}"\n[secrets.vault]\naddress = "here"\n'
    )
    registry = Registry.discover(environ={"CAMBIST_PLUGINS": "binance,local"}, beside=tmp_path / "run.toml")
    plan = read_live_file(tmp_path / "run.toml", registry)
    assert (plan.options["key"].reveal(), plan.options["secret"].reveal()) == (VALUE, "mounted-value")
    assert VALUE not in repr(plan.options)
    look_up = lookup_of(registry, {"vault": {"address": "there"}})
    assert look_up("vault", "hooks/pager") == "hooks/pager of there"
    document = read_document(tmp_path / "run.toml")
    assert document.tables["live"]["settings"]["key"] == "secret://encrypted/key"
    # What cannot be had is told with the setting, the provider and what to do.
    text = (tmp_path / "run.toml").read_text().replace("mount/venue-secret", "mount/venue-scret")
    (tmp_path / "run.toml").write_text(text.replace("[secrets.mount]", "[secrets.muont]\n[secrets.mount]"))
    with pytest.raises(ConfigError) as told:
        read_live_file(tmp_path / "run.toml", registry)
    assert "live.settings.secret, the secret secret://mount/venue-scret: mount has no secret" in str(told.value)
    assert "secrets.muont: no plugin offers the secret provider 'muont'. Did you mean 'mount'?" in str(told.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"secret://{VALUE}", "begins with secret:// and is no reference"),
        (f"secret://Vault/{VALUE}!", "begins with secret:// and is no reference"),
        (f"SECRET://encrypted/{VALUE}", "begins with secret:// and is no reference"),
        ("secret://encrypted/", "begins with secret:// and is no reference"),
    ],
)
def test_a_text_that_looks_like_a_reference_is_none(text, told):
    with pytest.raises(ConfigError, match=told) as error:
        Secret.parse(text)
    assert VALUE not in str(error.value)


def test_what_a_provider_raises_is_not_shown(monkeypatch):
    class Broken:
        def resolve(self, name):
            raise RuntimeError(f"cannot send {VALUE}")

    class Specs:
        def get(self, kind, name):
            return self

        def load(self):
            return Broken

    with pytest.raises(ConfigError, match="the provider 'broken' failed with RuntimeError") as told:
        lookup_of(Specs())("broken", "x")
    assert VALUE not in str(told.value)
    assert told.value.__suppress_context__


@pytest.mark.skipif(os.name != "posix", reason="locks of folders are those of POSIX")
def test_two_writers_lose_nothing(place):
    """Each reads, changes and writes while nobody else does."""
    from concurrent.futures import ThreadPoolExecutor

    secrets_file.SecretsFile(place, cost=2).put("first", "x", PASSPHRASE)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: secrets_file.SecretsFile(place, cost=2).put(f"key-{n}", f"{n}", PASSPHRASE), range(12)))
    assert len(secrets_file.SecretsFile(place).names(PASSPHRASE)) == 13
