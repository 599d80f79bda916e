"""Due times of timers by rule, against a reference that walks minute by minute and looks at the clock on the wall.

The reference knows the zone database only in the direction that is never ambiguous, from an instant to the local time.
What it calls due is what a person would: the first minute at which the clock shows the time, or a later one.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import attrs
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cambist import At, Calendar, Cron, Every, OnSession
from cambist.model.local_time import first_instant, local_day
from cambist.model.times import DAY_NS, MINUTE_NS, to_datetime, to_ns

# Days around which clocks changed, in all the ways in which they do.
CHANGES = [
    ("America/New_York", date(2024, 3, 10)),  # an hour, at 2:00
    ("America/New_York", date(2024, 11, 3)),
    ("Europe/London", date(2023, 3, 26)),
    ("Europe/London", date(2023, 10, 29)),
    ("Australia/Lord_Howe", date(2023, 4, 2)),  # half an hour
    ("Australia/Lord_Howe", date(2023, 10, 1)),
    ("Asia/Kathmandu", date(1986, 1, 1)),  # a quarter of an hour, for good
    ("Asia/Kathmandu", date(2024, 5, 5)),  # none
    ("America/St_Johns", date(2009, 3, 8)),  # at one minute past midnight, so that a day begins and is taken back
    ("America/St_Johns", date(2009, 11, 1)),
    ("America/Sao_Paulo", date(2017, 10, 15)),  # midnight itself is left out
    ("America/Sao_Paulo", date(2018, 2, 18)),  # the last hour of a day comes twice
    ("America/Havana", date(2023, 11, 5)),  # the first hour of a day comes twice
    ("Antarctica/Troll", date(2024, 3, 31)),  # two hours
    ("Antarctica/Troll", date(2024, 10, 27)),
    ("Africa/Casablanca", date(2024, 3, 10)),  # back for a month, and forth again
    ("Asia/Pyongyang", date(2018, 5, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
    ("Pacific/Kiritimati", date(1994, 12, 31)),
]
LEAD, LENGTH = timedelta(days=3), timedelta(days=7)
TURNS = {0, 15, 30, 45, 60, 75, 90, 105, 120, 150, 165, 180, 210, 1_380, 1_395, 1_410, 1_425, 1_439, 1}
CLOCK = st.one_of(st.sampled_from(sorted(TURNS)), st.integers(0, 1_439))  # minutes of a day
INTERVALS = st.sampled_from([1, 7, 15, 30, 45, 60, 90, 240, 420, 720, 1_439])

WALK = settings(max_examples=50)


@attrs.frozen
class Walk:
    """Every minute of a week, with what clocks show; and sessions, if there are any."""

    zone: ZoneInfo
    minutes: list[int]
    shown: list[datetime]
    sessions: tuple[tuple[date, int, int, int, int], ...] = ()

    @property
    def calendar(self) -> Calendar | None:
        if not self.sessions:
            return None
        days, opens, starts, ends, closes = zip(*self.sessions, strict=True)
        return Calendar(
            name="walk", tz=self.zone, dates=days, opens=opens, closes=closes, break_starts=starts, break_ends=ends,
        )  # fmt: skip

    def begun(self) -> list[tuple[int, list[date]]]:
        """Return for each minute the days that begin with it, those among them that never were."""
        latest, found = self.shown[0].date(), []
        for minute, shown in zip(self.minutes, self.shown, strict=True):
            new = [latest + timedelta(days=number + 1) for number in range((shown.date() - latest).days)]
            latest = max(latest, shown.date())
            found.append((minute, new))
        return found


@cache
def week(name, around):
    """Return the minutes around a day, and what clocks show at each."""
    first, zone, count = to_ns(around - LEAD), ZoneInfo(name), LENGTH // timedelta(minutes=1)
    began = to_datetime(first)
    shown = [(began + timedelta(minutes=number)).astimezone(zone).replace(tzinfo=None) for number in range(count)]
    return [first + number * MINUTE_NS for number in range(count)], shown


@st.composite
def walks(draw, *, sessions=False):
    name, around = draw(st.sampled_from(CHANGES))
    skipped, made = draw(st.integers(0, 1_439)), []
    minutes, shown = (column[skipped:] for column in week(name, around))
    for number in range(-2, LENGTH.days + 3) if sessions else ():
        if draw(st.booleans()) or draw(st.booleans()) or (number == -2):
            midnight = to_ns(around - LEAD + timedelta(days=number))
            opens, starts, ends, closes = sorted(
                draw(st.lists(st.integers(0, 23 * 60), min_size=4, max_size=4, unique=True))
            )
            if draw(st.booleans()):
                starts = ends = closes
            day = around - LEAD + timedelta(days=number)
            made.append((day, *(midnight + edge * MINUTE_NS for edge in (opens, starts, ends, closes))))
    return Walk(ZoneInfo(name), minutes, shown, tuple(made))


@st.composite
def day_filters(draw, *, carry=False):
    chosen = {}
    if draw(st.booleans()):
        chosen["weekdays"] = tuple(draw(st.sets(st.integers(1, 7), min_size=1, max_size=3)))
        chosen["weekcarry"] = carry and draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        chosen["monthdays"] = tuple(draw(st.sets(st.integers(1, 31), min_size=1, max_size=20)))
        chosen["monthcarry"] = carry and draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        odd = draw(st.integers(0, 1))
        chosen["allow"] = lambda day: day.toordinal() % 2 == odd
    return chosen


def chosen_days(filters, walk):
    """Return the days of the walk, and some around it, that the filters let through."""
    first = walk.shown[0].date() - timedelta(days=4)
    everyday = [first + timedelta(days=number) for number in range(LENGTH.days + 9)]
    open_days = [one[0] for one in walk.sessions] or everyday
    found, before = set(), None
    for day in open_days:
        passed = [] if before is None else [one for one in everyday if before < one < day]
        week, month = filters.get("weekdays"), filters.get("monthdays")
        by_week = week is None or day.isoweekday() in week
        by_week = by_week or (filters["weekcarry"] and any(one.isoweekday() in week for one in passed))
        by_month = month is None or day.day in month
        by_month = by_month or (filters["monthcarry"] and any(one.day in month for one in passed))
        if by_week and by_month and filters.get("allow", lambda _day: True)(day):
            found.add(day)
        before = day
    return found


def due_times(rule, walk, start=None):
    """Return what the rule answers over the walk, asked again after each answer."""
    calendar, found, at = walk.calendar, [], walk.minutes[0]
    start = at if start is None else start
    while (due := rule.next_due(at, calendar, start)) is not None and due <= walk.minutes[-1]:
        assert due > at
        found.append(due)
        at = due
    return found


def text(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


@WALK
@given(walk=st.one_of(walks(), walks(sessions=True)), clock=CLOCK, repeat=st.none() | INTERVALS, data=st.data())
def test_a_time_of_day_is_due_when_the_clock_first_shows_it_or_more(walk, clock, repeat, data):
    filters = data.draw(day_filters(carry=bool(walk.sessions)))
    rule = At(text(clock), tz=walk.zone, repeat=None if repeat is None else f"{repeat}m", **filters)
    hours = {one[0]: one for one in walk.sessions}
    waiting = sorted(
        (datetime.combine(day, time(0)) + timedelta(minutes=minute), minute)
        for day in chosen_days(filters, walk)
        for minute in ([clock] if repeat is None else range(clock, 1_440, repeat))
    )
    waiting = [one for one in waiting if one[0] > walk.shown[0]]  # the walk begins where clocks stay as they are
    expected = set()
    for instant, shown in zip(walk.minutes, walk.shown, strict=True):
        while waiting and waiting[0][0] <= shown:
            nominal, minute = waiting.pop(0)
            if hours and minute != clock:
                _, _, starts, ends, closes = hours[nominal.date()]
                if instant > closes or starts < instant < ends:
                    continue
            expected.add(instant)
    assert due_times(rule, walk) == sorted(expected)


@WALK
@given(
    walk=st.one_of(walks(), walks(sessions=True)),
    interval=INTERVALS | st.sampled_from([1_440, 2_880, 10_080]),
    data=st.data(),
)
def test_an_interval_counts_real_time_from_each_midnight(walk, interval, data):
    filters = data.draw(day_filters(carry=bool(walk.sessions)))
    days, expected, begins, counts = chosen_days(filters, walk), [], None, False
    for minute, new in walk.begun():
        if new:
            in_turn = [day for day in new if (day - date(1970, 1, 5)).days % max(1, interval // 1_440) == 0]
            begins, counts = minute, new[-1] in days and interval < 1_440
            if days.intersection(in_turn):
                expected.append(minute)
                continue
        if counts and begins is not None and (minute - begins) % (interval * MINUTE_NS) == 0:
            expected.append(minute)
    first_day = next(minute for minute, new in walk.begun() if new)
    found = due_times(Every(f"{interval}m", tz=walk.zone, **filters), walk)
    assert [due for due in found if due >= first_day] == sorted(set(expected))


@WALK
@given(
    walk=st.one_of(walks(), walks(sessions=True)),
    interval=INTERVALS | st.sampled_from([2_000, 2_880]),
    since=st.integers(0, 3_000),
    data=st.data(),
)
def test_an_interval_counts_from_the_start_of_the_run(walk, interval, since, data):
    filters = data.draw(day_filters(carry=bool(walk.sessions)))
    days, start = chosen_days(filters, walk), walk.minutes[0] + (since - 1_500) * MINUTE_NS
    latest, expected = walk.shown[0].date(), []
    for minute, shown in zip(walk.minutes, walk.shown, strict=True):
        latest = max(latest, shown.date())
        passed = (minute - start) / (interval * MINUTE_NS)
        if minute > walk.minutes[0] and passed >= 1 and passed.is_integer() and latest in days:
            expected.append(minute)
    assert due_times(Every(f"{interval}m", anchor="start", tz=walk.zone, **filters), walk, start) == expected


@WALK
@given(
    walk=walks(sessions=True),
    edge=st.sampled_from(["open", "close"]),
    offset=st.integers(-700, 700) | st.just(0),
    repeat=st.none() | INTERVALS,
    data=st.data(),
)
def test_the_edges_of_sessions(walk, edge, offset, repeat, data):
    filters = data.draw(day_filters(carry=True))
    rule = OnSession(edge, offset=f"{offset}m", repeat=None if repeat is None else f"{repeat}m", **filters)
    if edge == "open" and offset == 0 and repeat is not None and data.draw(st.booleans()):
        rule = Every(f"{repeat}m", anchor="session", **filters)
    days = chosen_days(filters, walk)
    place = 1 if edge == "open" else 4
    firsts = [one[place] + offset * MINUTE_NS for one in walk.sessions]
    ends = [*firsts[1:], walk.minutes[-1] + DAY_NS]
    expected = []
    for minute in walk.minutes[1:]:
        for (day, _, starts, stops, closes), first, end in zip(walk.sessions, firsts, ends, strict=True):
            again = (
                repeat is not None
                and first < minute <= closes
                and minute < end
                and (minute - first) % (repeat * MINUTE_NS) == 0
                and not starts < minute < stops
            )
            if day in days and (minute == first or again):
                expected.append(minute)
    assert due_times(rule, walk) == expected


@WALK
@given(walk=walks(sessions=True), every=st.integers(1, 4), since=st.integers(0, 5_000))
def test_every_so_many_sessions(walk, every, since):
    start = walk.minutes[0] + (since - 2_500) * MINUTE_NS
    opens = [one[1] for one in walk.sessions if one[1] >= start]
    expected = [at for at in opens[::every] if walk.minutes[0] < at <= walk.minutes[-1]]
    assert due_times(Every(f"{every}d", anchor="session"), walk, start) == expected


@WALK
@given(walk=walks(), clock=CLOCK, steps=st.lists(st.integers(1, 2_000), min_size=1, max_size=30))
def test_the_answer_hangs_on_the_time_alone(walk, clock, steps):
    """Wherever it is asked, it is the next of the same times: bars that come late lose none and repeat none."""
    rule = At(text(clock), tz=walk.zone, repeat="97m")
    every, at = due_times(rule, walk), walk.minutes[0]
    for step in steps:
        at += step * MINUTE_NS + step
        due = rule.next_due(at, None, 0)
        if at < walk.minutes[-1] - DAY_NS:
            assert due == next(one for one in every if one > at)


@attrs.frozen
class CronField:
    """A field of a cron expression: as it is written, and what it means."""

    text: str
    values: frozenset[int]

    @property
    def starred(self):
        return self.text.startswith("*")


@st.composite
def cron_fields(draw, first, last):
    kind = draw(st.sampled_from(["*", "*", "*/n", "list", "range", "range/n"]))
    if kind == "*":
        return CronField("*", frozenset(range(first, last + 1)))
    low, high = sorted((draw(st.integers(first, last)), draw(st.integers(first, last))))
    step = draw(st.integers(1, max(1, (last - first) // 3)))
    if kind == "*/n":
        return CronField(f"*/{step}", frozenset(range(first, last + 1, step)))
    if kind == "list":
        values = draw(st.lists(st.integers(first, last), min_size=1, max_size=4, unique=True))
        return CronField(",".join(map(str, values)), frozenset(values))
    if kind == "range":
        return CronField(f"{low}-{high}", frozenset(range(low, high + 1)))
    return CronField(f"{low}-{high}/{step}", frozenset(range(low, high + 1, step)))


@st.composite
def crons(draw):
    """Return the five fields of an expression that names some day of some year."""
    fields = tuple(draw(cron_fields(*ends)) for ends in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6)))
    assume(min(fields[2].values) <= 28)
    return fields


def names_day(fields, day):
    """Tell whether an expression names a day, as the manual of crontab says."""
    _, _, of_month, month, of_week = fields
    by_month, by_week = day.day in of_month.values, day.isoweekday() % 7 in of_week.values
    together = of_month.starred or of_week.starred
    return day.month in month.values and ((by_month and by_week) if together else (by_month or by_week))


def cron_walk(fields, days, walk):
    """Return the minutes of a walk at which an expression is due."""
    minute, hour = fields[:2]
    if minute.starred or hour.starred:
        return [
            instant
            for instant, shown in zip(walk.minutes[1:], walk.shown[1:], strict=True)
            if shown.minute in minute.values
            and shown.hour in hour.values
            and shown.date() in days
            and names_day(fields, shown.date())
        ]
    waiting = sorted(
        datetime.combine(day, time(one, other))
        for day in days
        if names_day(fields, day)
        for one in hour.values
        for other in minute.values
    )
    waiting, expected = [nominal for nominal in waiting if nominal > walk.shown[0]], set()
    for instant, shown in zip(walk.minutes, walk.shown, strict=True):
        while waiting and waiting[0] <= shown:
            waiting.pop(0)
            expected.add(instant)
    return sorted(expected)


@WALK
@given(walk=st.one_of(walks(), walks(sessions=True)), fields=crons(), data=st.data())
def test_a_cron_expression_is_due_when_a_walk_over_all_minutes_meets_it(walk, fields, data):
    filters = data.draw(day_filters(carry=bool(walk.sessions)))
    rule = Cron(" ".join(field.text for field in fields), tz=walk.zone, **filters)
    assert due_times(rule, walk) == cron_walk(fields, chosen_days(filters, walk), walk)


@given(
    place=st.sampled_from(CHANGES),
    days=st.integers(-3, 3),
    clocks=st.lists(CLOCK, min_size=2, max_size=2),
    share=st.integers(0, 99),
)
@example(place=("America/St_Johns", date(2009, 11, 1)), days=0, clocks=[0, 1_410], share=2)
def test_instants_keep_the_order_of_local_times_and_days_follow_each_other(place, days, clocks, share):
    zone, day = ZoneInfo(place[0]), place[1] + timedelta(days=days)
    early, late = sorted(clocks)
    begins, one, other = (first_instant(day, clock * MINUTE_NS, zone) for clock in (0, early, late))
    ends = first_instant(day + timedelta(days=1), 0, zone)
    assert begins <= one <= other <= ends
    for instant, clock in ((one, early), (other, late)):
        shown, nominal = to_datetime(instant).astimezone(zone), datetime.combine(day, time(0))
        assert shown.replace(tzinfo=None) >= nominal + timedelta(minutes=clock)
        before = to_datetime(instant - 1_000).astimezone(zone)
        assert before.replace(tzinfo=None) < nominal + timedelta(minutes=clock)
    if begins < ends:
        assert local_day(begins + (ends - begins) * share // 100, zone) == day


def test_the_reference_meets_what_it_is_there_for():
    """Gaps and repeated hours are in the walks: else the tests above would prove little."""
    kinds = set()
    for place in CHANGES:
        kinds |= {(after - before) // timedelta(minutes=1) - 1 for before, after in pairwise(week(*place)[1])}
    assert kinds >= {0, 60, -60, 30, -30, 15, 120, -120, 1_440}
