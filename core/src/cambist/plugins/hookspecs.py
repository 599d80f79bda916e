"""The hooks: what a plugin may implement, each with an implementation to paste.

A hook is called once, when the registry is made. It returns records and does nothing else: no connection, no file, no
heavy import. The engine binds what the records' factories make and never calls a hook again. Hooks are synchronous and
take no arguments; what is asynchronous lives in the objects that factories make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.plugins.specs import (
        AnalyzerSpec,
        BrokerSpec,
        CommandSpec,
        DataRuleSpec,
        FeedSpec,
        IndicatorSpec,
        NotifierSpec,
        ReportSpec,
        RiskRuleSpec,
        SecretProviderSpec,
        SessionSpec,
        SimulationModelSpec,
        SinkSpec,
        StorageSpec,
        StrategySpec,
    )

__all__ = [
    "PROJECT",
    "cambist_analyzers",
    "cambist_brokers",
    "cambist_commands",
    "cambist_data_rules",
    "cambist_event_sinks",
    "cambist_feeds",
    "cambist_indicators",
    "cambist_notifiers",
    "cambist_reports",
    "cambist_risk_rules",
    "cambist_secret_providers",
    "cambist_sessions",
    "cambist_simulation_models",
    "cambist_storages",
    "cambist_strategies",
    "hookimpl",
]

PROJECT = "cambist"
hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


@_hookspec
def cambist_feeds() -> Iterable[FeedSpec]:  # type: ignore[empty-body]
    """Offer sources of market data.

    Returns
    -------
    Iterable of FeedSpec
        One record a source; an empty list when there is none on this machine.

    Examples
    --------
    A module like this one is a whole plugin; ``acme_feed/archive.py`` holds ``open_archive(source, **settings)``::

        from cambist.api import FeedSpec, hookimpl

        @hookimpl
        def cambist_feeds():
            return [
                FeedSpec(
                    name="acme-archive",
                    factory="acme_feed.archive:open_archive",
                    summary="Daily bars from the Acme archive",
                    capabilities=["history", "offline"],
                    requires=["acme-client>=2"],
                )
            ]
    """


@_hookspec
def cambist_brokers() -> Iterable[BrokerSpec]:  # type: ignore[empty-body]
    """Offer brokers: what takes approved orders and answers with order events.

    Returns
    -------
    Iterable of BrokerSpec
        One record a broker.

    Examples
    --------
    A broker that refuses everything, for rehearsing a bad day::

        from cambist.api import BrokerSpec, hookimpl
        from cambist.model.events import AmendRejected, CancelRejected, OrderRejected

        class ClosedVenue:
            def __init__(self, instruments, account, deliver, clock, reason="the venue is closed"):
                self.deliver = deliver
                self.clock = clock
                self.reason = reason

            def submit(self, approved):
                self.deliver(OrderRejected(self.clock(), approved.order.id, self.reason))

            def cancel(self, order_id):
                self.deliver(CancelRejected(self.clock(), order_id, self.reason))

            def amend(self, order_id, size, limit_price, stop_price):
                self.deliver(AmendRejected(self.clock(), order_id, self.reason))

        @hookimpl
        def cambist_brokers():
            return [
                BrokerSpec(
                    name="closed",
                    factory=ClosedVenue,
                    summary="Refuses every order",
                    capabilities=["simulated"],
                )
            ]
    """


@_hookspec
def cambist_risk_rules() -> Iterable[RiskRuleSpec]:  # type: ignore[empty-body]
    """Offer risk rules: what may refuse an order before it leaves.

    Returns
    -------
    Iterable of RiskRuleSpec
        One record a rule.

    Examples
    --------
    A rule that lets nothing be sold short::

        from cambist.api import Refusal, RiskRuleSpec, hookimpl

        class LongOnly:
            name = "long-only"

            def concerns(self, instrument):
                return True

            def review(self, order, view):
                held = view.position(order.instrument).size
                if order.is_buy or order.size <= held:
                    return None
                return Refusal("long-only", f"selling {order.size} of {held} held would go short")

        @hookimpl
        def cambist_risk_rules():
            return [RiskRuleSpec(name="long-only", factory=LongOnly, summary="Never sells short")]
    """


@_hookspec
def cambist_storages() -> Iterable[StorageSpec]:  # type: ignore[empty-body]
    """Offer places to keep runs and state; `name` is the scheme of their URLs.

    Returns
    -------
    Iterable of StorageSpec
        One record a scheme.

    Examples
    --------
    ``acme_store/files.py`` holds ``open_files(url)``, which answers for ``acme:///var/lib/acme``::

        from cambist.api import StorageSpec, hookimpl

        @hookimpl
        def cambist_storages():
            return [
                StorageSpec(
                    name="acme",
                    factory="acme_store.files:open_files",
                    summary="Runs and state in an Acme vault",
                    capabilities=["durable", "path", "runs", "state"],
                    requires=["acme-vault"],
                )
            ]
    """


@_hookspec
def cambist_notifiers() -> Iterable[NotifierSpec]:  # type: ignore[empty-body]
    r"""Offer channels that carry notices to people.

    Returns
    -------
    Iterable of NotifierSpec
        One record a channel.

    Examples
    --------
    A channel that appends to a file::

        from cambist.api import NotifierSpec, hookimpl

        class FileNotifier:
            def __init__(self, path="notices.txt"):
                self.path = path

            def send(self, notice):
                with open(self.path, "a", encoding="utf-8") as file:
                    file.write(f"{notice.level} {notice.title}: {notice.text}\n")

        @hookimpl
        def cambist_notifiers():
            return [
                NotifierSpec(
                    name="file",
                    factory=FileNotifier,
                    summary="Appends each notice to a file",
                    capabilities=["local"],
                )
            ]
    """


@_hookspec
def cambist_strategies() -> Iterable[StrategySpec]:  # type: ignore[empty-body]
    """Offer strategies, so that a run file can name them.

    Returns
    -------
    Iterable of StrategySpec
        One record a strategy.

    Examples
    --------
    ``acme_strategies/rebound.py`` holds ``class Rebound(cambist.Strategy)``. The reference keeps the plugin light: the
    strategy's own imports wait until somebody runs it::

        from cambist.api import StrategySpec, hookimpl

        @hookimpl
        def cambist_strategies():
            return [
                StrategySpec(
                    name="rebound",
                    factory="acme_strategies.rebound:Rebound",
                    summary="Buys the third red bar in a row, sells the first green one",
                )
            ]
    """


@_hookspec
def cambist_indicators() -> Iterable[IndicatorSpec]:  # type: ignore[empty-body]
    """Offer indicators.

    Returns
    -------
    Iterable of IndicatorSpec
        One record an indicator.

    Examples
    --------
    An indicator that is an expression of lines::

        from cambist.api import IndicatorSpec, hookimpl

        def midpoint(high, low):
            return (high + low) / 2

        @hookimpl
        def cambist_indicators():
            return [
                IndicatorSpec(
                    name="midpoint",
                    factory=midpoint,
                    summary="Middle of a bar's range",
                    capabilities=["stream"],
                )
            ]
    """


@_hookspec
def cambist_analyzers() -> Iterable[AnalyzerSpec]:  # type: ignore[empty-body]
    """Offer measures of a finished run.

    Returns
    -------
    Iterable of AnalyzerSpec
        One record a measure.

    Examples
    --------
    The share of instants at which equity stood below its peak::

        import numpy as np

        from cambist.api import AnalyzerSpec, hookimpl

        def time_under_water(facts):
            equity = facts.curve.equity
            return float(np.mean(equity < np.maximum.accumulate(equity)))

        @hookimpl
        def cambist_analyzers():
            return [
                AnalyzerSpec(
                    name="time-under-water",
                    factory=time_under_water,
                    summary="Share of the run spent below the highest equity so far",
                    unit="share",
                    higher_is_better=False,
                )
            ]
    """


@_hookspec
def cambist_simulation_models() -> Iterable[SimulationModelSpec]:  # type: ignore[empty-body]
    """Offer parts of the simulated venue: fees, slippage, fillers, intrabar paths, latencies, rejections,
    market rules.

    Returns
    -------
    Iterable of SimulationModelSpec
        One record a model.

    Examples
    --------
    A tax on sales, beside a fee on everything::

        from cambist.api import SimulationModelSpec, hookimpl

        class StampDutyFee:
            def __init__(self, rate, duty=0.001):
                self.rate = rate
                self.duty = duty

            def fee(self, instrument, size, price, liquidity):
                return instrument.notional(size, price) * self.rate

            def fresh(self):
                return self

            def charge(self, order, size, price, liquidity, ts):
                rate = self.rate if order.is_buy else self.rate + self.duty
                return order.instrument.notional(size, price) * rate

            def traded(self, fill):
                pass

        @hookimpl
        def cambist_simulation_models():
            return [
                SimulationModelSpec(
                    name="stamp-duty-fee",
                    model="fee",
                    factory=StampDutyFee,
                    summary="A fraction of the value traded, and a tax on sales",
                )
            ]
    """


@_hookspec
def cambist_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Offer commands of ``cambist``.

    Returns
    -------
    Iterable of CommandSpec
        One record a command.

    Examples
    --------
    ``acme_tide/command.py`` holds ``tide``, made with ``@click.command()``. The reference keeps the plugin light: the
    command and what it needs are imported when somebody types ``cambist tide``::

        from cambist.api import CommandSpec, hookimpl

        @hookimpl
        def cambist_commands():
            return [
                CommandSpec(
                    name="tide",
                    factory="acme_tide.command:tide",
                    summary="Print when the water is high.",
                    requires=["acme-tide"],
                )
            ]
    """


@_hookspec
def cambist_sessions() -> Iterable[SessionSpec]:  # type: ignore[empty-body]
    """Offer accounts at live venues.

    Returns
    -------
    Iterable of SessionSpec
        One record a venue, or one a market of it.

    Examples
    --------
    ``acme_venue/session.py`` holds ``open_acme(key="", secret="", url="")``, which makes a
    `cambist.api.VenueSession`; ``acme_venue/config.py`` says what may be set. Neither is imported before a run
    trades there::

        from cambist.api import SessionSpec, hookimpl

        @hookimpl
        def cambist_sessions():
            return [
                SessionSpec(
                    name="acme-spot",
                    factory="acme_venue.session:open_acme",
                    config="acme_venue.config:AcmeSettings",
                    environment="acme_venue.config:fit_environment",
                    summary="Spot of the Acme exchange",
                    capabilities=["orders", "streams", "history", "spot", "keyless"],
                    requires=["acme-client>=2"],
                )
            ]
    """


@_hookspec
def cambist_data_rules() -> Iterable[DataRuleSpec]:  # type: ignore[empty-body]
    """Offer rules of data quality: what ``cambist data check`` looks for.

    Returns
    -------
    Iterable of DataRuleSpec
        One record a rule.

    Examples
    --------
    A rule that distrusts volumes::

        from cambist.api import DataRuleSpec, Finding, Stage, hookimpl

        class RoundVolumeRule:
            name = "round-volume"
            stage = Stage.SOUND
            past = 0
            future = 0
            hindsight = False

            def find(self, view):
                volume = view.columns["volume"]
                for row in ((volume > 0) & (volume % 1_000_000 == 0)).nonzero()[0].tolist():
                    yield Finding(row, f"volume {volume[row]:g} is a round number of millions", "volume", volume[row])

        @hookimpl
        def cambist_data_rules():
            return [
                DataRuleSpec(
                    name="round-volume",
                    factory=RoundVolumeRule,
                    summary="Volumes that somebody seems to have made up",
                )
            ]
    """


@_hookspec
def cambist_reports() -> Iterable[ReportSpec]:  # type: ignore[empty-body]
    r"""Offer ways to show a finished run.

    Returns
    -------
    Iterable of ReportSpec
        One record a way.

    Examples
    --------
    The measures of a run as a file of Markdown::

        from cambist.api import ReportSpec, hookimpl

        def write_markdown(result, path, heading="Results"):
            rows = (f"| {label} | {value} |" for label, value, _ in result.summary.rows())
            text = "\n".join([f"# {heading}", "", "| | |", "|---|---|", *rows])
            if path is not None:
                path.write_text(text, encoding="utf-8")
            return text

        @hookimpl
        def cambist_reports():
            return [
                ReportSpec(
                    name="markdown",
                    factory=write_markdown,
                    summary="The measures of a run as a table of Markdown",
                )
            ]
    """


@_hookspec
def cambist_event_sinks() -> Iterable[SinkSpec]:  # type: ignore[empty-body]
    """Offer what is told of all that happens in a run.

    Returns
    -------
    Iterable of SinkSpec
        One record a sink.

    Examples
    --------
    A sink that counts fills::

        from cambist.api import SinkSpec, hookimpl

        class FillCounter:
            def __init__(self, path="fills.txt"):
                self.path = path
                self.fills = 0

            def take(self, event):
                if event.kind == "order_filled":
                    self.fills += 1

            def close(self):
                with open(self.path, "w", encoding="utf-8") as file:
                    file.write(str(self.fills))

        @hookimpl
        def cambist_event_sinks():
            return [
                SinkSpec(
                    name="fill-counter",
                    factory=FillCounter,
                    summary="Counts the fills of a run",
                    capabilities=["local"],
                )
            ]
    """


@_hookspec
def cambist_secret_providers() -> Iterable[SecretProviderSpec]:  # type: ignore[empty-body]
    """Offer providers of secrets: who answers ``secret://PROVIDER/NAME``.

    Returns
    -------
    Iterable of SecretProviderSpec
        One record a provider. It is asked for the secrets of references that name it, and of no others.

    Examples
    --------
    Secrets in a password store of files, as ``pass`` keeps them::

        import subprocess

        from cambist.api import ConfigError, SecretProviderSpec, hookimpl

        class PasswordStore:
            def __init__(self, prefix: str = "trading"):
                self.prefix = prefix

            def resolve(self, name):
                words = ["pass", "show", f"{self.prefix}/{name}"]
                try:
                    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
                except OSError:
                    raise ConfigError("pass is not installed; install it, or name another provider.") from None
                return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None

        @hookimpl
        def cambist_secret_providers():
            return [
                SecretProviderSpec(
                    name="pass",
                    factory=PasswordStore,
                    summary="Secrets of the password store",
                    capabilities=["local"],
                )
            ]
    """
