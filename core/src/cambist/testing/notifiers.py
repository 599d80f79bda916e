"""What a channel to people has to do."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import attrs
import pytest

from cambist.errors import CambistError
from cambist.ports.notifier import Notice, NoticeLevel
from cambist.testing.conformance import Suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.ports.notifier import Notifier

__all__ = ["NotifierTests"]


class NotifierTests(Suite):
    """Tests of a `Notifier`.

    The test file or a ``conftest.py`` gives two fixtures: ``notifier``, and ``received``, a function without arguments
    that returns what has arrived at the other end, in order, as one text a notice: the text holds all that a person
    gets to see. A channel that can fail gives a third, ``break_channel``: a function that makes every delivery from
    then on impossible. One that cannot sets ``can_fail = False``. The secrets among its settings are named in
    ``secrets``, so that the suite can look for them.
    """

    prefix = "NTF"
    can_fail = True
    secrets: tuple[str, ...] = ()

    @pytest.fixture
    def break_channel(self) -> Callable[[], None]:
        """Stand for what the test file has to give."""
        pytest.fail("the suite needs a fixture break_channel, or can_fail = False for a channel that cannot fail")

    @pytest.mark.parametrize("level", list(NoticeLevel))
    def test_every_level_arrives(
        self, notifier: Notifier, received: Callable[[], list[str]], level: NoticeLevel
    ) -> None:
        """A notice of any level is delivered once, and is told by its title."""
        notifier.send(Notice(level=level, title=f"a notice of level {level}"))
        (text,) = received()
        assert f"a notice of level {level}" in text

    @pytest.mark.parametrize(
        "notice",
        [
            Notice(title="all parts", text="first line", fields={"symbol": "BTC/USDT", "order": "17"}),
            Notice(title="letters: ñ 策略 🚨", text="ä", fields={"Größe": "½"}),
            Notice(title="no template: %s {0} {x} $y", text="100% \\n <b>&amp;</b> 'quoted' `code` *bold* _under_"),
            Notice(title="brackets", fields={"a=b": "c=d", "e:f": "[g] (h)"}),
        ],
        ids=lambda notice: notice.title.partition(" ")[0],
    )
    def test_all_of_a_notice_arrives(
        self, notifier: Notifier, received: Callable[[], list[str]], notice: Notice
    ) -> None:
        """Title, text, and each field with its name are there, letter by letter."""
        notifier.send(notice)
        (text,) = received()
        for part in (notice.title, notice.text, *notice.fields, *notice.fields.values()):
            assert part in text

    def test_every_line_arrives(self, notifier: Notifier, received: Callable[[], list[str]]) -> None:
        """A text of many lines loses none."""
        lines = [f"line number {number}." for number in range(20)]
        notifier.send(Notice(title="many lines", text="\n".join(lines)))
        (text,) = received()
        assert [line for line in lines if line not in text] == []

    def test_a_long_notice_arrives_at_least_with_its_beginning(
        self, notifier: Notifier, received: Callable[[], list[str]]
    ) -> None:
        """A channel may cut what is too long for it; it may not lose it."""
        notifier.send(Notice(title="much to say", text="it began like this. " + "and went on. " * 5_000))
        (text,) = received()
        assert "much to say" in text
        assert "it began like this." in text

    def test_order_is_kept(self, notifier: Notifier, received: Callable[[], list[str]]) -> None:
        """What is sent first arrives first, and each once."""
        titles = [f"notice {number};" for number in range(5)]
        for title in titles:
            notifier.send(Notice(title=title))
        texts = received()
        assert len(texts) == len(titles)
        assert all(title in text for title, text in zip(titles, texts, strict=True))

    def test_a_notice_is_left_as_it_is(self, notifier: Notifier) -> None:
        """Nothing is changed in what other channels get too."""
        notice = Notice(level=NoticeLevel.ERROR, title="mine", text="text", fields={"symbol": "BTC/USDT"})
        before = attrs.evolve(notice, fields=dict(notice.fields))
        notifier.send(notice)
        assert notice == before

    def test_any_thread_may_send(self, notifier: Notifier, received: Callable[[], list[str]]) -> None:
        """The thread that sends need not be the one that made the channel, nor always the same."""
        for number in range(2):
            thread = threading.Thread(target=notifier.send, args=(Notice(title=f"of thread {number}"),))
            thread.start()
            thread.join()
        assert len(received()) == 2

    def test_a_failure_is_raised_and_shows_no_secret(
        self, notifier: Notifier, received: Callable[[], list[str]], request: pytest.FixtureRequest
    ) -> None:
        """What was not delivered is not passed over; the error is one of Cambist, or of the operating system."""
        if not self.can_fail:
            notifier.send(Notice(title="cannot fail"))
            assert len(received()) == 1
            return
        request.getfixturevalue("break_channel")()
        with pytest.raises((CambistError, OSError)) as caught:
            notifier.send(Notice(title="goes nowhere"))
        assert str(caught.value)
        assert received() == []
        chain: BaseException | None = caught.value
        while chain is not None:
            assert not any(secret in f"{chain} {chain!r}" for secret in self.secrets)
            chain = (
                None if chain.__suppress_context__ and chain.__cause__ is None else chain.__cause__ or chain.__context__
            )

    def test_it_does_not_show_its_secrets(self, notifier: Notifier) -> None:
        """Printing a channel is harmless."""
        shown = f"{notifier} {notifier!r}"
        assert not any(secret in shown for secret in self.secrets)
