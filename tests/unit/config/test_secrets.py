"""A secret is used and never shown: a scanner goes over everything that could show it."""

from __future__ import annotations

import copy
import inspect
import json
import logging
import os
import pickle
import pprint
import traceback

import attrs
import msgspec
import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from cambist.api import ConfigError, Environment, Secret
from cambist.config.document import Document
from cambist.config.environments import CONSENT
from cambist.config.problems import raise_problems
from cambist.config.settings import check_settings
from cambist.observe import configure

VALUE = "s3cr3t-v4lue-of-the-key"


@pytest.fixture
def reference(monkeypatch):
    monkeypatch.setenv("TEST_VENUE_KEY", VALUE)
    return Secret.parse("${env:TEST_VENUE_KEY}")


@pytest.fixture(params=["there", "env", "file"])
def secret(request, monkeypatch, tmp_path):
    if request.param == "there":
        return Secret(VALUE)
    if request.param == "env":
        return request.getfixturevalue("reference")
    (tmp_path / "key").write_text(f"{VALUE}\n")
    return Secret.parse(f"${{file:{tmp_path / 'key'}}}")


@attrs.define
class Held:
    key: Secret


class Settings(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: Secret
    number: int = 0


def failing(action):
    """Return all that an error and the values of its frames show; "" where there is none."""
    try:
        return repr(action())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def fail_with(secret):
    raise RuntimeError(f"could not sign with {secret}", secret)


def held_by_a_model(secret):
    return Settings(api_key=secret)


WAYS = {
    "print": lambda secret: f"{secret} {secret!r} {secret!s} {secret:>40} {secret!a}",
    "inside of others": lambda secret: f"{[secret]} {({'key': secret})} {Held(secret)} {held_by_a_model(secret)!r}",
    "pretty": lambda secret: pprint.pformat({"key": [secret]}),
    "json": json.dumps,
    "json as text": lambda secret: json.dumps({"key": secret}, default=str),
    "json of what is inside": lambda secret: json.dumps({"key": secret}, default=vars),
    "msgspec": lambda secret: msgspec.json.encode({"key": secret}),
    "msgpack": lambda secret: msgspec.msgpack.encode(Held(secret)),
    "builtins": msgspec.to_builtins,
    "attrs": lambda secret: attrs.asdict(Held(secret)),
    "pydantic": lambda secret: (held_by_a_model(secret).model_dump(), held_by_a_model(secret).model_dump(mode="json")),
    "pydantic as json": lambda secret: held_by_a_model(secret).model_dump_json(),
    "schema": lambda secret: Settings.model_json_schema(),
    "pickle": pickle.dumps,
    "pickle of a holder": lambda secret: pickle.dumps(Held(secret)),
    "oldest pickle": lambda secret: pickle.dumps(secret, 0),
    "state": lambda secret: secret.__getstate__(),
    "reduce": lambda secret: secret.__reduce_ex__(4),
    "copy": lambda secret: (copy.copy(secret), copy.deepcopy([secret])),
    "vars": vars,
    "dir": dir,
    "hash": lambda secret: str(hash(secret)),
    "an error": fail_with,
    "as text": lambda secret: "key=" + secret,
    "as bytes": bytes,
    "in turn": list,
    "environment": lambda secret: secret.placed("live").within("testnet"),
    "a wrong neighbor": lambda secret: Settings(api_key=secret, number="one"),
    "an unknown neighbor": lambda secret: Settings(api_key=secret, numbr=1),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_way_shows_it(secret, way, capsys, caplog):
    shown = failing(lambda: WAYS[way](secret))
    print(shown)
    captured = capsys.readouterr()
    found = f"{shown}{captured.out}{captured.err}{caplog.text}"
    assert VALUE not in found
    assert VALUE.encode().hex() not in found


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": VALUE, "number": "one"},
        {"api_key": VALUE, "numbr": 1},
        {"api_key": f"${{env:{VALUE}"},
        {"api_key": f"${{{VALUE}:x}}"},
        {"api_key": [VALUE]},
        {"api_key": {VALUE: 1}},
    ],
)
def test_an_error_of_a_model_does_not_show_what_was_written_out(settings):
    with pytest.raises(ValidationError) as caught:
        Settings(**settings)
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_the_scanner_finds_what_is_shown():
    assert VALUE in failing(lambda: f"{VALUE}")
    assert VALUE in failing(lambda: fail_with(VALUE))
    assert VALUE in failing(
        lambda: Settings(api_key=VALUE, number="one")
    )  # in a frame, as any text that is written out


def test_logs_do_not_show_it_even_when_it_was_revealed(secret, capsys):
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    try:
        for in_json in (False, True):
            configure("debug", json=in_json)
            log = logging.getLogger("tests.secrets")
            key = secret.reveal()
            log.warning("signed with %s and %r", secret, secret, extra={"note": key, "held": Held(secret)})
            log.warning("https://host/path?sign=%s", key)
            log.error("broken", exc_info=ValueError(key))
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    told = capsys.readouterr().err
    assert told.count("broken") == 2
    assert VALUE not in told
    assert "***" in told


def test_it_is_revealed_to_who_asks(secret):
    assert secret.reveal() == VALUE
    assert (str(secret), f"{secret:x>9}") == ("***", "***")


def test_a_reference_is_looked_at_late_and_each_time(monkeypatch, tmp_path):
    secret = Secret.parse("${env:TEST_LATE_KEY}")
    monkeypatch.setenv("TEST_LATE_KEY", "first-value")
    assert secret.reveal() == "first-value"
    file = tmp_path / "key"
    mounted = Secret.parse(f" ${{file:{file}}} ")
    for written, read in [
        ("one", "one"),
        ("two\n", "two"),
        ("three\r\n", "three"),
        (" 4\n\n", " 4\n"),
        ("ключ", "ключ"),
    ]:
        file.write_bytes(written.encode())
        assert mounted.reveal() == read


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "binary", "large"])
def test_a_file_that_will_not_do(tmp_path, kind):
    file = tmp_path / "key"
    data = {"empty": b"\n", "binary": b"\xff" + VALUE.encode(), "large": VALUE.encode() * 9_999}
    if kind in data:
        file.write_bytes(data[kind])
    elif kind == "folder":
        file.mkdir()
    with pytest.raises(ConfigError) as caught:
        Secret.parse(f"${{file:{file}}}").placed("notify[1].url").reveal()
    told = str(caught.value)
    assert told.startswith(f"notify[1].url, the secret ${{file:{file}}}: ")
    remedy = {
        "missing": "Make it", "folder": "Let this user read it", "empty": "Write the key into it",
        "binary": "as text", "large": "Correct the path",
    }[kind]  # fmt: skip
    assert remedy in told
    assert VALUE not in failing(Secret.parse(f"${{file:{file}}}").reveal)


def test_a_variable_that_is_not_there(monkeypatch):
    monkeypatch.delenv("TEST_NO_KEY", raising=False)
    secret = Secret.parse("${env:TEST_NO_KEY}")
    with pytest.raises(
        ConfigError, match=r"\$\{env:TEST_NO_KEY\}: the .* TEST_NO_KEY is not set.*export TEST_NO_KEY=\.\.\."
    ):
        secret.reveal()
    monkeypatch.setenv("TEST_NO_KEY", "")
    with pytest.raises(ConfigError, match="is empty"):
        secret.reveal()
    monkeypatch.delenv("TEST_NO_KEY")
    monkeypatch.setenv("test_no_key", VALUE)
    with pytest.raises(ConfigError, match="Did you mean test_no_key") as caught:
        secret.reveal()
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (None, "is no text"),
        (17, "is no text"),
        (f"x${{env:{VALUE}}}", "no reference as a whole"),
        (f"${{{VALUE}}}", "no reference as a whole"),
        (f"${{env:A}}${{env:{VALUE}}}", "no reference as a whole"),
        (f"${{vault:{VALUE}}}", "a source that is not known"),
        (f"${{env:{VALUE}}}", "whose name is none"),
        (f"${{file:{VALUE}}}", "does not begin at the root"),
    ],
)
def test_a_text_that_cannot_be_one(text, told):
    with pytest.raises(ConfigError, match=told) as caught:
        Secret.parse(text)
    assert VALUE not in str(caught.value)
    assert "${" in str(caught.value)  # the remedy


def test_a_reference_goes_to_another_process_and_a_value_does_not(reference):
    sent = pickle.loads(pickle.dumps(Secret.parse(reference.reference, environment="testnet").placed("a.b")))
    assert (sent.reference, sent.environment, sent.reveal()) == (reference.reference, Environment.TESTNET, VALUE)
    with pytest.raises(TypeError, match=r"pass a reference on instead"):
        pickle.dumps(Secret(VALUE))


def test_equality(reference):
    assert Secret(VALUE) == Secret(VALUE) == copy.deepcopy(Secret(VALUE))
    assert Secret(VALUE) != Secret(VALUE + "x")
    assert Secret(VALUE) != VALUE
    assert reference == Secret.parse(reference.reference)
    assert reference != Secret(VALUE)  # what it refers to is not looked at
    assert Secret(VALUE) != Secret(VALUE, environment="dev")
    assert len({Secret(VALUE), Secret(VALUE), reference}) == 2


def test_a_model_takes_texts_tables_and_secrets(reference):
    assert Settings(api_key=reference.reference).api_key == reference
    assert Settings(api_key=VALUE).api_key.reveal() == VALUE
    table = {"value": reference.reference, "environment": "testnet"}
    assert Settings(api_key=table).api_key.environment is Environment.TESTNET
    assert json.loads(Settings(api_key=table).model_dump_json())["api_key"] == reference.reference
    assert json.loads(Settings(api_key=VALUE).model_dump_json())["api_key"] == "***"
    for wrong in (
        {},
        {"valu": VALUE},
        {"value": VALUE, "env": "dev"},
        [VALUE],
        5,
        {"value": VALUE, "environment": "x"},
    ):
        with pytest.raises(ValidationError) as caught:
            Settings(api_key=wrong)
        assert VALUE not in str(caught.value)


class Component:
    def __init__(self, url: Secret, headers: dict[str, Secret] | None = None, environment: Environment = "dev"):
        self.url, self.headers = url, headers


@pytest.mark.parametrize("config", [None, Settings])
def test_a_mistake_in_a_run_file_does_not_show_it(tmp_path, config):
    file = tmp_path / "run.toml"
    name = "url" if config is None else "api_key"
    file.write_text(f'[hook]\n{name} = ["{VALUE}"]\nnumbr = 3\n')
    document = Document.read(file)
    _, problems = check_settings(document.tables["hook"], config, Component, 0, ("hook",))
    with pytest.raises(ConfigError) as caught:
        raise_problems(document, problems)
    told = str(caught.value)
    assert f"line 2, hook.{name}: a secret is no text." in told
    assert "line 3, hook.numbr" in told
    assert VALUE not in told


def test_a_secret_of_a_run_file_names_its_setting(monkeypatch):
    monkeypatch.delenv("TEST_NO_KEY", raising=False)
    table = {"url": "${env:TEST_NO_KEY}", "headers": {"X-Key": "${env:TEST_NO_KEY}"}, "environment": "production"}
    settings, problems = check_settings(table, None, Component, 0, ("notify", 0))
    assert problems == []
    assert settings["environment"] is Environment.PRODUCTION
    with pytest.raises(ConfigError, match=r"^notify\[1\]\.url, the secret"):
        settings["url"].reveal()
    with pytest.raises(ConfigError, match=r"^notify\[1\]\.headers\.X-Key, the secret"):
        settings["headers"]["X-Key"].reveal()


def test_a_key_of_one_environment_is_refused_in_another(reference):
    key = Secret.parse(reference.reference, environment="testnet")
    assert key.within("testnet") is key
    for other in ("dev", Environment.PRODUCTION):
        with pytest.raises(ConfigError, match=r"TEST_VENUE_KEY\} is of the environment 'testnet'.* is in") as caught:
            key.placed("live.api_key").within(other)
        assert str(caught.value).startswith("live.api_key")
    assert all(reference.within(one) is reference for one in Environment)


def test_an_unknown_environment_is_told():
    with pytest.raises(ConfigError, match="there is no environment 'prod'"):
        Environment.parse("prod")
    _, problems = check_settings({"url": "x", "environment": "tesnet"}, None, Component, 0, ())
    assert ["Did you mean 'testnet'" in one.message for one in problems] == [True]


def test_real_money_takes_a_consent():
    for given in (CONSENT, "I trade  real money", " i trade real money\n"):
        Environment.PRODUCTION.require_consent(given)
    for none in (None, "", "  "):
        with pytest.raises(ConfigError, match=f'write live.consent = "{CONSENT}"'):
            Environment.PRODUCTION.require_consent(none, where="live.consent")
    for wrong in ("yes", "true", "i trade real money not"):
        with pytest.raises(ConfigError, match="which agrees to nothing"):
            Environment.PRODUCTION.require_consent(wrong)


@pytest.mark.parametrize("environment", [Environment.DEV, Environment.TESTNET])
def test_play_money_takes_none(environment):
    environment.require_consent(None)
    with pytest.raises(ConfigError, match="agrees to real money"):
        environment.require_consent(CONSENT)


def test_what_is_public_of_it_holds_no_value(secret):
    """All that `dir` names, save what reveals it, and what Python's own name mangling hides."""
    for name in dir(secret):
        if name in {"reveal", "_of_environment", "_of_file"} or name.startswith("_Secret__"):
            continue
        assert VALUE not in repr(getattr(secret, name))
    assert VALUE not in inspect.getdoc(secret)
    assert os.environ.get("TEST_VENUE_KEY", VALUE) == VALUE
