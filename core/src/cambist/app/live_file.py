"""From a run file to the plan of a live run: its account, its journal, its channels; every mistake told at once."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.plan import Overrides
from cambist.app.runfile import Reader
from cambist.config.document import Document
from cambist.config.environments import Environment
from cambist.config.models import LiveTable, NotifyTable
from cambist.config.secrets import Secret
from cambist.config.settings import check_settings
from cambist.errors import ConfigError
from cambist.live import LiveSettings
from cambist.model.timeframe import Timeframe
from cambist.notify import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.app.plan import RunPlan
    from cambist.config.document import Where
    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import SessionSpec
    from cambist.ports.venue import VenueSession

__all__ = ["LivePlan", "read_live_file"]

#: Of ``[live]``: what `LiveSettings` takes under the same name.
_SETTINGS = tuple(one.name for one in attrs.fields(LiveSettings) if one.name in LiveTable.model_fields)
_CHANNEL = tuple(name for name in NotifyTable.model_fields if name not in {"use", "name"})


@attrs.frozen(kw_only=True)
class LivePlan:
    """Everything a live run needs, checked; nothing is opened or connected.

    Attributes
    ----------
    plan
        Strategies, risk rules and sizer, as for a backtest.
    series
        Symbol and timeframe of each series, as the venue calls them.
    venue, environment
        Name of the session, and where it trades.
    factory, options
        Make the session; the options hold secrets.
    read_only
        Whether the session can be told to change nothing at the venue.
    journal
        Folder.
    live
        How the run behaves.
    channels
        To people; may be empty.
    notify_window, notify_fills
        Seconds in which one alert is told once, and whether fills are told.
    """

    plan: RunPlan
    series: tuple[tuple[str, Timeframe], ...]
    venue: str
    environment: Environment
    factory: Callable[..., VenueSession]
    options: dict[str, Any] = attrs.field(repr=False)
    read_only: bool
    journal: Path
    live: LiveSettings
    channels: tuple[Channel, ...] = ()
    notify_window: float = 300.0
    notify_fills: bool = False

    def session(self, **changes: Any) -> VenueSession:
        """Make the session, not yet open.

        Raises
        ------
        InputError
            A setting cannot be used, or a secret cannot be had.
        """
        return self.factory(**{**self.options, **changes})


def read_live_file(path: Path, registry: Registry) -> LivePlan:
    """Read the run file of a live run and check everything it says.

    Raises
    ------
    ConfigError
        The file cannot be read, or something in it cannot be used: tells of all that is, with lines.
    """
    return _LiveReader(Document.read(path), registry, Overrides()).live_plan()


class _LiveReader(Reader):
    """Collects what a run file says of a live run, and what is wrong with it."""

    made_session: tuple[Callable[..., VenueSession], dict[str, Any], bool] | None = None
    made_channels: tuple[Channel, ...] = ()

    def check_data(self) -> None:
        """Look at what a live run needs beyond a backtest."""
        self._check_strategies()
        self._check_series()
        self.made_channels = tuple(self._channels())
        table = self.document.tables.get("live")
        if "live" not in self.document.tables:
            self.add((), "there is no table [live]. It names the account: venue, environment, and [live.settings].")
        elif isinstance(table, dict):
            self.made_session = self._session(table)

    def live_plan(self) -> LivePlan:
        plan = self.plan()
        file, made = self.file, self.made_session
        assert file is not None
        assert file.live is not None
        assert made is not None  # otherwise there were problems
        live = file.live
        factory, options, read_only = made
        return LivePlan(
            plan=plan,
            series=tuple((symbol, Timeframe.parse(length)) for symbol, length in self._named()),
            venue=live.venue,
            environment=live.environment,
            factory=factory,
            options=options,
            read_only=read_only,
            journal=self.document.folder / live.journal,
            live=self._settings(plan),
            channels=self.made_channels,
            notify_window=live.notify_window,
            notify_fills=live.notify_fills,
        )

    def _settings(self, plan: RunPlan) -> LiveSettings:
        file = self.file
        assert file is not None
        assert file.live is not None
        said = {name: getattr(file.live, name) for name in _SETTINGS if name in file.live.model_fields_set}
        if said.get("currency") is None:
            said["currency"] = file.account.currency or LiveSettings().currency
        return LiveSettings(
            seed=file.run.seed, risk=plan.settings.get("risk", ()), leverage=file.account.leverage, **said
        )

    # What trades what.

    def _check_strategies(self) -> None:
        if "strategy" not in self.document.tables:
            self.add((), "there is no strategy. Add [strategy] with use = \"my_file.py:SmaCross\".")

    def _named(self) -> list[tuple[str, str]]:
        """Return what each series says of symbol and timeframe, as far as it does."""
        found = []
        for _, table in self.tables("data"):
            instrument = table.get("instrument")
            own = instrument.get("symbol") if isinstance(instrument, dict) else None
            found.append((table.get("symbol") or own or "", table.get("timeframe") or ""))
        return found

    def _check_series(self) -> None:
        tables = list(self.tables("data"))
        if not tables:
            self.add((), "there is no data. Add [[data]] with symbol = \"BTC/USDT\" and timeframe = \"1m\".")
        seen: set[tuple[str, str]] = set()
        for (where, table), named in zip(tables, self._named(), strict=True):
            symbol, timeframe = named
            if not symbol:
                self.add(
                    (*where, "symbol"),
                    "it is missing: a live run needs the symbol as the venue trades it, such as 'BTC/USDT'.",
                )
            if "timeframe" not in table:
                self.add((*where, "timeframe"), "it is missing: a live run needs the length of a bar, such as '1m'.")
            if symbol and timeframe and named in seen:
                self.add(where, f"{symbol} {timeframe} is there twice; a strategy sees it once.")
            seen.add(named)

    # The account.

    def _session(self, table: dict[str, Any]) -> tuple[Callable[..., VenueSession], dict[str, Any], bool] | None:
        """Make ready what makes the session; None where there are problems."""
        problems = len(self.problems)
        venue, given = table.get("venue"), table.get("settings", {})
        environment = self._environment(table)
        if not isinstance(venue, str) or not venue or not isinstance(given, dict):
            return None
        spec = self.attempt(("live", "venue"), self.registry.get, "session", venue)
        if spec is None:
            return None
        parts = self.attempt(("live", "venue"), lambda: (spec.load(), spec.load_config(), spec.load_environment()))
        if parts is None:
            return None
        factory, config, fit = parts
        where: Where = ("live", "settings")
        added = {}
        if environment is not None:
            added = self._fitted(spec, fit, environment, given) or {}
        settings, found = check_settings({**given, **added}, config, factory, 0, where)
        self.extend(found)
        if not found:
            self._check_secrets(settings, config, environment)
        return (factory, settings, "read-only" in spec.capabilities) if len(self.problems) == problems else None

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
            self.attempt(("live", "settings", name), secret.reveal)
        names = list(_secret_fields(config))
        if names and not secrets:
            example = " and ".join(f'{name} = "${{env:VENUE_{name.upper()}}}"' for name in names[:2])
            self.add(("live", "settings"), f"there is no key, and a live run trades an account. Write {example}.")

    # People.

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
            notifier = self.make(own, parts[0], parts[1], where)
            said = {key: table[key] for key in _CHANNEL if key in table}
            if notifier is not None and self.file is not None:
                channel = self.attempt(where, Channel, name=name, notifier=notifier, **{"at_least": "warning", **said})
                if channel is not None:
                    yield channel


def _secret_fields(config: type | None) -> Iterator[str]:
    """Yield the settings of a session that are secrets."""
    for name, field in getattr(config, "model_fields", {}).items():
        if Secret in (field.annotation, *typing.get_args(field.annotation)):
            yield name
