"""What the rules have in common that watch an account and ask about no order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import Refusal, RiskView

__all__ = ["AccountWatch"]


class AccountWatch:
    """A rule that changes what may be traded, and lets every order pass: what is halted is refused without it.

    A subclass sets `_settings`, what it was made with, in the order of its parameters.
    """

    _settings: tuple[Any, ...]

    def fresh(self) -> Self:
        """Return a rule with the same settings that remembers nothing."""
        return type(self)(*self._settings)

    def concerns(self, instrument: Instrument) -> bool:  # noqa: ARG002 - no order is asked about
        """No instrument."""
        return False

    def review(self, order: Order, view: RiskView) -> Refusal | None:  # noqa: ARG002 - see concerns
        """Let every order pass."""
        return None
