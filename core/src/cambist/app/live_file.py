"""From a run file to the plan of a live run: its account, its journal, its channels; every mistake told at once."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.named_parts import SIMULATED
from cambist.app.plan import Overrides
from cambist.app.runfile import Reader, storage_url
from cambist.app.storage import storage_opener
from cambist.app.strategies import make_strategy
from cambist.config.environments import Environment
from cambist.config.layers import read_document
from cambist.config.models import LiveTable, NotifyTable, PaperTable
from cambist.config.secrets import Secret
from cambist.config.settings import check_settings, settings_model
from cambist.engine.step import named
from cambist.errors import ConfigError, did_you_mean
from cambist.live import LiveSettings, Policy
from cambist.live.bar_handling import BarHandling
from cambist.live.control import ControlSettings, fingerprint
from cambist.live.paper import PaperSettings
from cambist.live.resending import Resend
from cambist.live.screening import check_bar_policy
from cambist.model.timeframe import Timeframe
from cambist.notify import Channel
from cambist.plugins.making import made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cambist.app.plan import RunPlan
    from cambist.config.document import Where
    from cambist.config.models import ResendTable
    from cambist.live.subscriptions import Named
    from cambist.observe.event_sinks import NamedSink
    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import SessionSpec
    from cambist.ports.storage import Storage
    from cambist.ports.venue import VenueSession

__all__ = ["PAPER", "LivePlan", "LiveReader", "PaperReader", "read_live_file", "secret_fields"]

#: What stands in the place of an environment where no account is traded.
PAPER = "paper"

#: Of ``[live]``: what `LiveSettings` takes under the same name.
_SETTINGS = tuple(one.name for one in attrs.fields(LiveSettings) if one.name in LiveTable.model_fields)
#: Of ``[paper]``, ``[venue]`` and ``[account]``: what `PaperSettings` takes under the same name.
_PAPER = frozenset(one.name for one in attrs.fields(PaperSettings))
#: What of it ``[paper]`` says alone.
_OF_PAPER = ("match_by", "stop_trigger", "book_cancels", "funding", "marks")
#: Of ``[[strategy]]``: what `BarHandling` takes under the same name.
_BARS = tuple(one.name for one in attrs.fields(BarHandling))
_CHANNEL = tuple(name for name in NotifyTable.model_fields if name not in {"use", "name"})


@attrs.frozen(kw_only=True)
class LivePlan:
    """Everything a live run needs, checked; nothing is opened or connected.

    Attributes
    ----------
    plan
        Strategies, risk rules and sizer, as for a backtest.
    series
        Symbol as the venue calls it, and timeframe or kind, of all that is listened to.
    venue, environment
        Name of the session, and where it trades: ``"dev"``, ``"testnet"``, ``"production"`` or `PAPER`.
    paper
        How the simulated venue of a paper run works orders; None for a live run.
    factory, options
        Make the session; the options hold secrets.
    read_only
        Whether the session can be told to change nothing at the venue.
    journal
        Folder.
    live, control
        How the run behaves, and how it is operated.
    channels
        To people; may be empty.
    storage
        Opens what keeps runs and follows the journal; None for none.
    keep_segments
        How many segments of the journal stay that nobody needs; None for all.
    notify_window, notify_fills
        Seconds in which one alert is told once, and whether fills are told.
    sinks
        What is told of all that is in the journal.
    """

    plan: RunPlan
    series: tuple[Named, ...]
    venue: str
    environment: str
    factory: Callable[..., VenueSession]
    options: dict[str, Any] = attrs.field(repr=False)
    read_only: bool
    journal: Path
    live: LiveSettings
    paper: PaperSettings | None = None
    control: ControlSettings = attrs.field(factory=ControlSettings)
    channels: tuple[Channel, ...] = ()
    storage: Callable[[], Storage] | None = attrs.field(default=None, repr=False)
    keep_segments: int | None = None
    notify_window: float = 300.0
    notify_fills: bool = False
    sinks: tuple[NamedSink, ...] = ()

    def session(self, **changes: Any) -> VenueSession:
        """Make the session, not yet open.

        Raises
        ------
        InputError
            A setting cannot be used, or a secret cannot be had.
        """
        session: VenueSession = made(self.factory, **{**self.options, **changes})
        return session

    def account(self) -> str:
        """Return what the account is known by on this machine; ``""`` for a paper run, which has none of its own."""
        key = next((value for value in self.options.values() if isinstance(value, Secret)), None)
        if key is None or self.paper is not None:
            return ""
        return fingerprint(f"{key.reveal()} {self.options.get('url') or self.environment}")


def read_live_file(path: Path, registry: Registry, *, paper: bool = False, assigned: Sequence[str] = ()) -> LivePlan:
    """Read the run file of a live run, or of a paper run, and check everything it says.

    Parameters
    ----------
    path
        Of the file.
    registry
        Knows the components.
    paper
        Whether it is to be a paper run.
    assigned
        What the command line sets: ``"live.journal=journal"``.

    Raises
    ------
    ConfigError
        The file cannot be read, or something in it cannot be used: tells of all that is, with lines.
    """
    reader = PaperReader if paper else LiveReader
    return reader(read_document(path, assigned), registry, Overrides()).live_plan()


#: What makes a session, its settings, and whether it can be told to change nothing.
_Session = tuple["Callable[..., VenueSession]", dict[str, Any], bool]


class LiveReader(Reader):
    """Collects what a run file says of a live run, and what is wrong with it."""

    #: What names the journal.
    table = "live"
    made_session: _Session | None = None
    made_channels: tuple[Channel, ...] = ()
    made_storage: Callable[[], Storage] | None = None

    def check_data(self) -> None:
        """Look at what a live run needs beyond a backtest."""
        self._check_strategies()
        self._check_bar_policies()
        self._check_series()
        self.made_channels = tuple(self._channels())
        self.made_session = self.session()
        url = storage_url(self)
        if url:
            self.made_storage = self.attempt(("storage", "url"), storage_opener, url, self.registry, "runs")

    def live_plan(self) -> LivePlan:
        """Return what the file says.

        Raises
        ------
        ConfigError
            It has mistakes.
        """
        plan = self.plan()
        made = self.made_session
        assert made is not None  # otherwise there were problems
        factory, options, read_only = made
        said = self.said()
        return LivePlan(
            plan=plan,
            series=tuple(self._listened()),
            venue=said["venue"],
            environment=str(said.get("environment", PAPER)),
            factory=factory,
            options=options,
            read_only=read_only,
            journal=self.document.folder_of((self.table, "journal")) / said["journal"],
            live=self._settings(plan, said),
            paper=self.paper(plan, said),
            control=ControlSettings(**dict(said["control"])),
            channels=self.made_channels,
            storage=self.made_storage,
            keep_segments=said["keep_segments"],
            notify_window=said["notify_window"],
            notify_fills=said["notify_fills"],
            sinks=plan.settings.get("sinks", ()),
        )

    def said(self) -> dict[str, Any]:
        """Return what the tables of the run say, defaults included."""
        assert self.file is not None
        assert self.file.live is not None
        return dict(self.file.live)

    def paper(self, plan: RunPlan, said: dict[str, Any]) -> PaperSettings | None:  # noqa: ARG002 - of a live run
        """Return how the simulated venue works orders."""
        return None

    def session(self) -> _Session | None:
        """Make ready what makes the session; None where there are problems."""
        table = self.document.tables.get("live")
        if "live" not in self.document.tables:
            self.add((), "there is no table [live]. It names the account: venue, environment, and [live.settings].")
        return self.account(table) if isinstance(table, dict) else None

    def _settings(self, plan: RunPlan, said: dict[str, Any]) -> LiveSettings:
        file = self.file
        assert file is not None
        given = {name: said[name] for name in _SETTINGS if name in said}
        given["currency"] = given["currency"] or file.account.currency or LiveSettings().currency
        given["resend"] = {kind: _resend(table) for kind, table in given["resend"].items()}
        return LiveSettings(
            seed=file.run.seed,
            risk=plan.settings.get("risk", ()),
            leverage=file.account.leverage,
            calendar=plan.settings.get("calendar"),
            strategy_bars=dict(self._strategy_bars(plan)),
            **given,
        )

    def _strategy_bars(self, plan: RunPlan) -> Iterator[tuple[str, BarHandling]]:
        """Yield what becomes of bars, by the name that a strategy has in the run, where its table says so."""
        assert self.file is not None
        tables = () if self.overrides.strategy else self.file.strategy
        said = [{name: value for name in _BARS if (value := getattr(one, name)) is not None} for one in tables]
        if any(said):
            made = named([make_strategy(one.cls, dict(one.parameters), one.name) for one in plan.strategies])
            yield from ((one.name, BarHandling(**own)) for one, own in zip(made, said, strict=True) if own)

    # What trades what.

    def _check_bar_policies(self) -> None:
        tables = [((name,), self.document.tables.get(name)) for name in ("live", PAPER)]
        for where, table in [*tables, *self.tables("strategy")]:
            policy = table.get("bar_policy") if isinstance(table, dict) else None
            if isinstance(policy, dict) and all(isinstance(action, str) for action in policy.values()):
                self.attempt((*where, "bar_policy"), check_bar_policy, policy)

    def _check_strategies(self) -> None:
        if "strategy" not in self.document.tables:
            self.add((), 'there is no strategy. Add [strategy] with use = "my_file.py:SmaCross".')

    def _named(self) -> list[tuple[str, str]]:
        """Return what each series says of symbol and timeframe, as far as it does."""
        found = []
        for _, table in self.tables("data"):
            instrument = table.get("instrument")
            own = instrument.get("symbol") if isinstance(instrument, dict) else None
            found.append((table.get("symbol") or own or "", table.get("timeframe") or ""))
        return found

    def _listened(self) -> Iterator[Named]:
        """Yield what the run listens to: bars in their order, and what is finer."""
        assert self.file is not None
        for (symbol, length), table in zip(self._named(), self.file.data, strict=True):
            for kind in dict.fromkeys(table.listen):
                yield symbol, Timeframe.parse(length) if kind == "bars" else kind

    def _check_series(self) -> None:
        tables = list(self.tables("data"))
        if not tables:
            self.add((), 'there is no data. Add [[data]] with symbol = "BTC/USDT" and timeframe = "1m".')
        seen: set[tuple[str, str]] = set()
        for (where, table), said in zip(tables, self._named(), strict=True):
            symbol, timeframe = said
            if not symbol:
                self.add(
                    (*where, "symbol"),
                    "it is missing: a live run needs the symbol as the venue trades it, such as 'BTC/USDT'.",
                )
            bars = "bars" in _as_words(table.get("listen", "bars"))
            if bars and "timeframe" not in table:
                self.add((*where, "timeframe"), "it is missing: a live run needs the length of a bar, such as '1m'.")
            if symbol and timeframe and said in seen:
                self.add(where, f"{symbol} {timeframe} is there twice; a strategy sees it once.")
            seen.add(said)

    # The account.

    def account(self, table: dict[str, Any]) -> _Session | None:
        """Make ready what makes the session of an account; None where there are problems."""
        problems = len(self.problems)
        venue, given = table.get("venue"), table.get("settings", {})
        environment = self._environment(table)
        if not isinstance(venue, str) or not venue or not isinstance(given, dict):
            return None
        found_spec = self.spec(("live", "venue"), venue)
        if found_spec is None:
            return None
        spec, factory, config, fit = found_spec
        where: Where = ("live", "settings")
        added = {}
        if environment is not None:
            added = self._fitted(spec, fit, environment, given) or {}
        settings, found = self.settings({**given, **added}, config, factory, where)
        if not found:
            self._check_secrets(settings, config, environment)
        return (factory, settings, "read-only" in spec.capabilities) if len(self.problems) == problems else None

    def spec(self, where: Where, venue: str) -> tuple[SessionSpec, Callable[..., VenueSession], Any, Any] | None:
        """Return the record of a session, its factory, the class of its settings, and what fits an environment."""
        spec = self.attempt(where, self.registry.get, "session", venue)
        parts = spec and self.attempt(where, lambda: (spec.load(), spec.load_config(), spec.load_environment()))
        return (spec, *parts) if parts else None

    def _environment(self, table: dict[str, Any]) -> Environment | None:
        """Return where the run trades, if it says so; with the consent that this takes."""
        try:
            environment = Environment.parse(table.get("environment", ""))
        except ConfigError:  # told of already
            return None
        consent = table.get("consent")
        if consent is None or isinstance(consent, str):
            place = ("live", "consent") if "consent" in table else ("live", "environment")
            self.attempt(place, environment.require_consent, consent)
        return environment

    def _fitted(
        self,
        spec: SessionSpec,
        fit: Callable[..., Any] | None,
        environment: Environment,
        given: dict[str, Any],
    ) -> dict[str, Any] | None:
        if fit is not None:
            added: dict[str, Any] | None = self.attempt(("live", "settings"), fit, str(environment), given)
            return added
        if environment is not Environment.PRODUCTION:
            self.add(
                ("live", "environment"),
                f"it is {str(environment)!r}, and the session {spec.name!r} does not say that it has play money. It "
                "takes 'production' alone.",
            )
        return {}

    def _check_secrets(self, settings: dict[str, Any], config: type | None, environment: Environment | None) -> None:
        """See that keys are there, can be had, and are of this environment."""
        secrets = {name: value for name, value in settings.items() if isinstance(value, Secret)}
        for name, secret in secrets.items():
            if environment is not None:
                self.attempt(("live", "settings", name), secret.within, environment)
            if self.secrets == "keys":
                self.attempt(("live", "settings", name), secret.reveal)
        names = list(secret_fields(config))
        if names and not secrets:
            example = " and ".join(f'{name} = "${{env:VENUE_{name.upper()}}}"' for name in names[:2])
            self.add(("live", "settings"), f"there is no key, and a live run trades an account. Write {example}.")

    # People.

    def _notifier(self, own: dict[str, Any], factory: Callable[..., Any], config: type | None, where: Where) -> Any:
        """Make a notifier of its own keys; a key that nobody knows may be meant for the channel as well."""
        settings, found = check_settings(own, config, factory, 0, where, self.lookup)
        self.look_up(settings, where)
        known = _keys(factory, config)
        for problem in found:
            if problem.where[-1] in own and problem.where[-1] not in known:
                told = f"there is no such key here.{did_you_mean(str(problem.where[-1]), known)}"
                self.add(problem.where, told)
            else:
                self.extend([problem])
        return None if found else self.attempt(where, made, factory, **settings)

    def _channels(self) -> Iterator[Channel]:
        names: set[str] = set()
        for where, table in self.tables("notify"):
            use = table.get("use")
            if not isinstance(use, str) or not use:
                continue
            name = table.get("name") or use
            if name in names:
                self.add(where, f"several channels are called {name!r}; give each a name of its own.")
            names.add(name)
            spec = self.attempt((*where, "use"), self.registry.get, "notifier", use)
            parts = spec and self.attempt((*where, "use"), lambda spec=spec: (spec.load(), spec.load_config()))
            if not parts:
                continue
            own = {key: value for key, value in table.items() if key not in NotifyTable.model_fields}
            notifier = self._notifier(own, parts[0], parts[1], where)
            said = {key: table[key] for key in _CHANNEL if key in table}
            if notifier is not None and self.file is not None:
                channel = self.attempt(where, Channel, name=name, notifier=notifier, **{"at_least": "warning", **said})
                if channel is not None:
                    yield channel


def _resend(said: ResendTable) -> Resend:
    """Return a policy of sending again; a bound alone lifts the other one."""
    never = said.attempts is None and said.within is None
    return Resend(0 if never else said.attempts, said.within)


def _keys(factory: Callable[..., Any], config: type | None) -> set[str]:
    """Return what may be set of a channel: its own keys, and those of its notifier."""
    model = settings_model(config or factory) if not hasattr(config, "model_fields") else config
    fields = getattr(model, "model_fields", {})
    return {*NotifyTable.model_fields, *(field.alias or name for name, field in fields.items())}


class PaperReader(LiveReader):
    """Collects what a run file says of a paper run: an account that nobody has, in the market of a venue."""

    table = PAPER

    def check_data(self) -> None:
        """Look at what a paper run needs beyond a backtest, and at what it cannot have."""
        super().check_data()
        broker = self.document.tables.get("broker")
        if isinstance(broker, dict) and broker.get("use", SIMULATED) != SIMULATED:
            self.add(
                ("broker",),
                f"orders of a paper run meet the market in the simulated venue; {broker['use']!r} is for backtests. "
                "Leave [broker] out here.",
            )

    def said(self) -> dict[str, Any]:
        """Return what ``[paper]`` says, then ``[live]``, then the defaults."""
        file = self.file
        assert file is not None
        paper = file.paper or PaperTable()
        below = {} if file.live is None else {name: getattr(file.live, name) for name in file.live.model_fields_set}
        kept = {name: value for name, value in below.items() if name in PaperTable.model_fields and name != "journal"}
        own = {name: getattr(paper, name) for name in paper.model_fields_set}
        # What differs from the venue of the core is a matter of the core: nobody has to be asked.
        return {**dict(paper), **kept, **own, "on_position": Policy.ADOPT, "on_order": Policy.IGNORE}

    def paper(self, plan: RunPlan, said: dict[str, Any]) -> PaperSettings | None:
        """Return how the simulated venue works orders: as ``[venue]`` and ``[account]`` say, and ``[paper]``."""
        # Beside them `funding` and `marks`, which of a backtest are data.
        given = {**plan.settings, **{name: said[name] for name in _OF_PAPER}}
        settings = {name: value for name, value in given.items() if name in _PAPER}
        if not isinstance(settings.get("cash", 0.0), int | float):
            raise ConfigError(
                f"{self.document.path}, account.cash: a paper account is kept in one asset. Give one number, in "
                f"{said['currency'] or 'the currency of the instruments'}."
            )
        assert self.file is not None
        return PaperSettings(**{**settings, "seed": self.file.run.seed})

    def session(self) -> _Session | None:
        """Make ready the session whose market it is; its keys are left out."""
        problems = len(self.problems)
        tables = [self.document.tables.get(name, {}) for name in ("paper", "live")]
        if not any("venue" in one for one in tables if isinstance(one, dict)):
            self.add((), "there is no venue. Add [paper] with the venue whose market it is, such as binance-spot.")
            return None
        paper, live = (one if isinstance(one, dict) else {} for one in tables)
        name = "paper" if "venue" in paper else "live"
        venue = paper.get("venue", live.get("venue"))
        found_spec = self.spec((name, "venue"), venue) if isinstance(venue, str) and venue else None
        if found_spec is None:
            return None
        spec, factory, config, fit = found_spec
        owner = "paper" if "settings" in paper or venue != live.get("venue") else "live"
        given = (paper if owner == "paper" else live).get("settings", {})
        if not isinstance(given, dict):
            return None
        secrets = set(secret_fields(config))
        given = {key: value for key, value in given.items() if key not in secrets}
        if owner == "live" and fit is not None:
            environment = self._environment_of_market(live)
            given = {**given, **(self.attempt(("live", "settings"), fit, environment, given) or {})}
        settings, _ = self.settings(given, config, factory, (owner, "settings"))
        return (factory, settings, "read-only" in spec.capabilities) if len(self.problems) == problems else None

    def _environment_of_market(self, live: dict[str, Any]) -> str:
        try:
            return str(Environment.parse(live.get("environment", "")))
        except ConfigError:  # told of already
            return str(Environment.PRODUCTION)


def _as_words(said: Any) -> list[Any]:
    """Return one word as the list that several are."""
    return said if isinstance(said, list) else [said]


def secret_fields(config: type | None) -> Iterator[str]:
    """Yield the settings of a session that are secrets."""
    for name, field in getattr(config, "model_fields", {}).items():
        if Secret in (field.annotation, *typing.get_args(field.annotation)):
            yield name
