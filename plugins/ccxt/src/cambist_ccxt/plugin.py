"""The record of this package; ccxt is not imported before an exchange is opened."""

from __future__ import annotations

from cambist.api import SessionSpec, hookimpl

__all__ = ["cambist_sessions"]


@hookimpl
def cambist_sessions() -> list[SessionSpec]:
    """Offer any exchange that ccxt knows, by polling."""
    return [
        SessionSpec(
            name="ccxt",
            factory="cambist_ccxt.session:open_ccxt",
            config="cambist_ccxt.config:CcxtSettings",
            environment="cambist_ccxt.environments:fit_environment",
            summary="Any exchange that ccxt knows, by polling",
            conformance="cambist_ccxt.conformance",
            capabilities=["orders", "history", "spot", "margin", "testnet", "keyless", "any-exchange"],
            requires=["ccxt"],
        )
    ]
