"""Records as bytes and back; records of older versions are brought up to date when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from cambist.engine import records
from cambist.errors import InputError, JournalVersionError, RecordError, did_you_mean
from cambist.ports.journal import Draft

if TYPE_CHECKING:
    from cambist.ports.journal import JournalEntry

__all__ = ["CODEC", "NOTES", "Codec", "readable"]

#: Makes the fields of one version of those of the one before.
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_plain = msgspec.msgpack.Decoder()


@attrs.frozen
class _Kind:
    type: type[Any]
    version: int
    decode: Callable[[bytes], Any]


class Codec:
    """The types of records by kind.

    Examples
    --------
    A kind of one's own, whose first version had a price as a float:

    >>> import msgspec
    >>> from cambist.engine.codec import Codec
    >>> class Level(msgspec.Struct):
    ...     price: str
    >>> codec = Codec()
    >>> codec.register("level", Level, version=2)
    >>> codec.upgrade("level", 1, lambda fields: {"price": str(fields["price"])})
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._upgrades: dict[tuple[str, int], Upgrade] = {}

    def register(self, kind: str, record: type[Any], *, version: int = 1) -> None:
        """Say how a kind is read and written.

        Raises
        ------
        InputError
            If the kind is taken.
        """
        if kind in self._kinds:
            raise InputError(f"records of kind {kind!r} are {self._kinds[kind].type.__name__} already; choose another.")
        self._kinds[kind] = _Kind(record, version, msgspec.msgpack.Decoder(record).decode)

    def upgrade(self, kind: str, version: int, function: Upgrade) -> None:
        """Say how the fields of a kind at `version` become those at the next."""
        self._upgrades[kind, version] = function

    @property
    def kinds(self) -> list[str]:
        """Every kind, sorted."""
        return sorted(self._kinds)

    def encode(self, kind: str, ts: int, record: Any) -> Draft:
        """Return a record as it is journalled."""
        return Draft(kind, ts, _encoder.encode(record), self._kinds[kind].version)

    def decode(self, entry: JournalEntry) -> Any:
        """Return the record of an entry, of the newest version of its type.

        Raises
        ------
        RecordError
            If nobody knows the kind, or the bytes are not of it.
        JournalVersionError
            If a newer version wrote it, or nobody says how an older one is brought up to date.
        """
        known = self._kinds.get(entry.kind)
        if known is None:
            raise RecordError(
                f"there is no kind of record {entry.kind!r}.{did_you_mean(entry.kind, self._kinds)}".rstrip("."),
                code="unknown_kind",
                sequence=entry.sequence,
                remedy="Register it with the codec, or use the version or plugin that wrote it.",
            )
        try:
            if entry.version == known.version:
                return known.decode(entry.body)
            return msgspec.convert(self._upgraded(entry, known.version), known.type)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise RecordError(
                f"the record is no {entry.kind!r} of version {entry.version}: {error}",
                code="bad_body",
                sequence=entry.sequence,
                remedy="Its checksum is right, so it was written like this: report it as a fault.",
            ) from error

    def _upgraded(self, entry: JournalEntry, version: int) -> dict[str, Any]:
        fields: dict[str, Any] = _plain.decode(entry.body)
        for before in range(entry.version, version):
            function = self._upgrades.get((entry.kind, before))
            if function is None:
                break
            fields = function(fields)
        else:
            if entry.version < version:
                return fields
        newer = entry.version > version
        raise JournalVersionError(
            f"the record is a {entry.kind!r} of version {entry.version}, this version of Cambist "
            f"{'reads' if newer else 'has no way up to'} {version}",
            code="foreign_version",
            sequence=entry.sequence,
            remedy="Use the version of Cambist that wrote it, or a newer one."
            if newer
            else "Register the upgrade with the codec.",
        )


def readable(entry: JournalEntry) -> Any:
    """Return the fields of an entry as they were written, whatever they are, for people and for JSON."""
    try:
        return msgspec.to_builtins(_plain.decode(entry.body))
    except msgspec.DecodeError:
        return entry.body.hex()


#: Kinds of `OrderNote`.
NOTES = (
    "cancel_requested",
    "amend_refused",
    "order_accepted",
    "order_rejected",
    "order_triggered",
    "order_canceled",
    "order_expired",
    "cancel_rejected",
    "amend_rejected",
    "outcome_unknown",
    "order_not_found",
)

#: The kinds of the core.
CODEC = Codec()
for _kind, _type in {
    "run_started": records.RunBegan,
    "stop_requested": records.RunEnded,
    "run_stopped": records.RunEnded,
    "instrument_defined": records.InstrumentDefined,
    "account_opened": records.AccountOpened,
    "order_submitted": records.OrderTerms,
    "order_refused": records.OrderTerms,
    "order_adopted": records.OrderTerms,
    "amend_requested": records.AmendRequest,
    "order_amended": records.NewTerms,
    "stop_trailed": records.NewTerms,
    "order_resent": records.OrderResent,
    "orders_entrusted": records.OrdersEntrusted,
    "order_filled": records.FillEntry,
    "cash_moved": records.CashEntry,
    "cash_requested": records.CashRequest,
    "rates_noted": records.RatesNoted,
    "margin_changed": records.MarginEntry,
    "margin_requested": records.MarginEntry,
    "dividend_paid": records.Dividend,
    "shares_split": records.Split,
    "timer_set": records.TimerSet,
    "timer_fired": records.TimerDue,
    "signal_noted": records.SignalNoted,
    "account_valued": records.AccountValued,
    "alert_raised": records.AlertRaised,
    "notification_sent": records.NotificationSent,
    "strategy_state": records.StrategyState,
    "trading_state": records.TradingState,
    "risk_state": records.RiskState,
    "operator_command": records.OperatorCommand,
    "series_anchored": records.SeriesAnchored,
    **dict.fromkeys(NOTES, records.OrderNote),
}.items():
    CODEC.register(_kind, _type)
