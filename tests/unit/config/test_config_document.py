"""Reading a run file: what it says, on which line, and what is wrong with it as a file."""

from __future__ import annotations

import pytest

from cambist.config.document import Document
from cambist.errors import ConfigError

TEXT = """\
# a comment: key = 1
title = "x"

[strategy]
use = "a.py"   # not [a] header
parameters = { fast = 5 }

[[data]]
source = "one.csv"
[data.instrument]
tick_size = 0.01
[[data]]
"source" = "two.csv"
note = '''
source = "not a key"
[account]
'''

[venue.fees]
maker = 1
[account]
limits.most = [
  [1, 2],
  [3, 4]
]
cash = 5
"""


@pytest.fixture
def document(tmp_path):
    def read(text):
        path = tmp_path / "run.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Document.read(path)

    return read


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("title",), 2),
        (("strategy",), 4),
        (("strategy", "use"), 5),
        (("strategy", "parameters", "fast"), 6),
        (("data", 0), 8),
        (("data", 0, "source"), 9),
        (("data", 0, "instrument"), 10),
        (("data", 0, "instrument", "tick_size"), 11),
        (("data", 1), 12),
        (("data", 1, "source"), 13),
        (("data", 1, "missing"), 12),
        (("venue", "fees"), 19),
        (("venue", "fees", "maker"), 20),
        (("account",), 21),
        (("account", "limits", "most"), 22),
        (("account", "cash"), 26),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_where_things_stand(document, where, line):
    assert document(TEXT).line_of(where) == line


def test_every_line_is_that_of_its_key(document):
    """The other way round: on the line told stands the name of the key, or the header of its table."""
    read = document(TEXT)
    lines = TEXT.splitlines()
    for where, number in read._lines.items():
        names = [part for part in where if isinstance(part, str)]
        assert names[-1] in lines[number - 1], (where, number)


def test_a_file_of_windows(document):
    read = document(TEXT.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read.tables["account"]["cash"] == 5
    assert read.line_of(("account", "cash")) == 26


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("cash = ", r"run\.toml is not TOML: .*A text stands in quotes"),
        ("[account]\ncash = abc\n", r"not TOML: .*line 2"),
        (b"\xff\xfe\x00", r"not a text in UTF-8 \(byte 0\)"),
    ],
)
def test_what_is_no_toml(document, content, message):
    with pytest.raises(ConfigError, match=message):
        document(content)


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "run.toml").write_text("")
    with pytest.raises(ConfigError, match=r"rnu\.toml: there is no such run file.*Did you mean 'run\.toml'"):
        Document.read(tmp_path / "rnu.toml")
    with pytest.raises(ConfigError, match="there is no such run file"):
        Document.read(tmp_path / "nowhere" / "run.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        Document.read(tmp_path)
