"""A risk rule that raises refuses, and restricts; it ends nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from cambist.errors import ConfigError
from cambist.model.trading_state import TradingState, WorkingOrders
from cambist.ports.risk import EquityRule, Refusal, StatefulRule, TradingRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import AccountMoment, RiskRule, RiskView

    Alarm = Callable[[str, str], None]

__all__ = ["shielded_rules"]

_log = logging.getLogger("cambist.live")


def shielded_rules(rules: Iterable[RiskRule], alarm: Alarm) -> list[RiskRule]:
    """Return rules that ask these, and answer in their place where they raise.

    An order about which a rule raises is refused, ``rule_failed``. While a rule cannot look at an account, only what
    reduces risk may leave, until an operator resumes trading.
    """
    return [_shielded(rule, alarm) for rule in rules]


def _shielded(rule: RiskRule, alarm: Alarm) -> RiskRule:
    if isinstance(rule, EquityRule):
        return _ShieldedEquityRule(rule, alarm)
    return _ShieldedStatefulRule(rule, alarm) if isinstance(rule, StatefulRule) else _ShieldedRule(rule, alarm)


class _ShieldedRule:
    def __init__(self, rule: Any, alarm: Alarm) -> None:
        self._rule, self._alarm = rule, alarm
        self.name: str = rule.name

    def concerns(self, instrument: Instrument) -> bool:
        try:
            return bool(self._rule.concerns(instrument))
        except Exception as error:  # noqa: BLE001 - whatever it is, trading goes on without it
            self._failed(error)
            return True

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        try:
            refusal: Refusal | None = self._rule.review(order, view)
        except Exception as error:  # noqa: BLE001
            return Refusal("rule_failed", f"{self._failed(error)} No order passes that it has to review.")
        return refusal

    def _failed(self, error: Exception) -> str:
        said = f"the risk rule {self.name!r} raised {type(error).__name__}: {error}."
        _log.error("%s", said, exc_info=error)
        self._alarm("rule_failed", said)
        return said


class _ShieldedStatefulRule(_ShieldedRule):
    def __init__(self, rule: Any, alarm: Alarm) -> None:
        super().__init__(rule, alarm)
        self._kept: Mapping[str, Any] = {}

    def fresh(self) -> _ShieldedStatefulRule:
        return type(self)(self._rule.fresh(), self._alarm)

    def save_state(self) -> Mapping[str, Any]:
        try:
            self._kept = self._rule.save_state()
        except Exception as error:  # noqa: BLE001
            self._failed(error)
        return self._kept

    def load_state(self, state: Mapping[str, Any]) -> None:
        self._kept = state
        try:
            self._rule.load_state(state)
        except Exception as error:
            raise ConfigError(
                f"the risk rule {self.name!r} cannot go on from what it has kept: {type(error).__name__}: {error}. "
                "Run it in the version that kept this, or give the run a journal of its own."
            ) from error

    def on_resume(self, scope: str) -> None:
        try:
            self._rule.on_resume(scope)
        except Exception as error:  # noqa: BLE001
            self._failed(error)


class _ShieldedEquityRule(_ShieldedStatefulRule):
    def on_equity(self, moment: AccountMoment) -> TradingRequest | None:
        try:
            asked: TradingRequest | None = self._rule.on_equity(moment)
        except Exception as error:  # noqa: BLE001
            reason = f"{self._failed(error)} It guards nothing until it is mended."
            return TradingRequest(TradingState.REDUCING, "", reason, WorkingOrders.KEEP)
        return asked
