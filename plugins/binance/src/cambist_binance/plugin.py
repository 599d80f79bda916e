"""The records of this package; nothing heavy is imported before a venue is opened."""

from __future__ import annotations

from cambist.api import SessionSpec, hookimpl

__all__ = ["cambist_sessions"]

_CAPABILITIES = ("orders", "streams", "history", "testnet", "keyless", "read-only")
_REQUIRES = ("cambist-ccxt",)


@hookimpl
def cambist_sessions() -> list[SessionSpec]:
    """Offer the three markets of Binance."""
    return [
        SessionSpec(
            name="binance-spot",
            factory="cambist_binance.session:open_spot",
            config="cambist_binance.config:BinanceSettings",
            environment="cambist_binance.environments:fit_environment",
            summary="Binance spot",
            conformance="cambist_binance.conformance",
            capabilities=[*_CAPABILITIES, "spot"],
            requires=_REQUIRES,
        ),
        SessionSpec(
            name="binance-usdm",
            factory="cambist_binance.session:open_usdm",
            config="cambist_binance.config:BinanceSettings",
            environment="cambist_binance.environments:fit_environment",
            summary="Binance USD-M futures: perpetuals and dated contracts settled in stable coins",
            conformance="cambist_binance.conformance",
            capabilities=[*_CAPABILITIES, "margin"],
            requires=_REQUIRES,
        ),
        SessionSpec(
            name="binance-coinm",
            factory="cambist_binance.session:open_coinm",
            config="cambist_binance.config:BinanceSettings",
            environment="cambist_binance.environments:fit_environment",
            summary="Binance COIN-M futures: inverse perpetuals and dated contracts settled in the coin",
            conformance="cambist_binance.conformance",
            capabilities=[*_CAPABILITIES, "margin"],
            requires=_REQUIRES,
        ),
    ]
