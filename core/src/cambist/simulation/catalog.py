"""The core's simulation models by name, for the options of a backtest that has no plugins."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cambist.errors import ParameterError, did_you_mean

__all__ = ["CATALOG", "make_model"]

#: What a model decides -> its name -> what makes it, in ``cambist.simulation``.
CATALOG: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "fee": {
            "none": "fees:NoFee",
            "percent": "fees:PercentFee",
            "fixed": "fees:FixedFee",
            "maker-taker": "fees:MakerTakerFee",
            "per-contract": "fees:PerContractFee",
            "per-order": "fees:PerOrderFee",
            "tiered": "fees:TieredFee",
            "instrument": "fees:InstrumentFees",
            "by-symbol": "fees:FeesBySymbol",
            "in-asset": "fees:FeeInAsset",
            "in-kind": "fees:FeeInKind",
        },
        "slippage": {
            "none": "slippage:NoSlippage",
            "percent": "slippage:PercentSlippage",
            "fixed": "slippage:FixedSlippage",
            "half-spread": "slippage:HalfSpread",
            "square-root": "slippage:SquareRootImpact",
            "within-bar": "slippage:WithinBar",
            "backtrader": "slippage:BacktraderSlippage",
            "by-symbol": "slippage:SlippageBySymbol",
        },
        "filler": {
            "percent": "fillers:PercentFiller",
            "fixed": "fillers:FixedFiller",
            "range": "fillers:RangeFiller",
        },
        "path": {
            "nearer-first": "paths:nearer_first_path",
            "pessimistic": "paths:pessimistic_path",
        },
        "latency": {
            "constant": "latency:ConstantLatency",
            "uniform": "latency:UniformLatency",
            "normal": "latency:NormalLatency",
            "lognormal": "latency:LognormalLatency",
            "recorded": "latency:RecordedLatency",
        },
        "rejection": {
            "random": "rejection:RandomRejection",
        },
        "market-rules": {
            "none": "market_rules:no_rules",
            "custom": "market_rules:MarketRules",
            "a-shares": "market_rules:a_shares",
            "us-equities": "market_rules:us_equities",
            "us-cash": "market_rules:us_cash",
            "by-symbol": "market_rules:MarketRulesBySymbol",
        },
    }
)


def make_model(model: str, said: str | Mapping[str, Any], option: str) -> Any:
    """Make the model of the core that a name, or a table with ``use`` and settings, means.

    Parameters
    ----------
    model
        What it decides: ``"fee"`` and so on.
    said
        ``"pessimistic"`` or ``{"use": "per-order", "minimum": 1.0}``. Underscores in the name are as good as hyphens,
        and it may end in what the model decides.
    option
        What the user set, for messages.

    Raises
    ------
    ParameterError
        There is no such name or setting, a setting is missing, or the model refuses a value.
    """
    settings = dict(said) if isinstance(said, Mapping) else {}
    name = settings.pop("use", None) if isinstance(said, Mapping) else said
    offered = CATALOG[model]
    if not isinstance(name, str):
        raise ParameterError(f"{option} is {said!r}; name the model: {{'use': {min(offered)!r}}}.")
    short = name.replace("_", "-").removesuffix(f"-{model}")
    if short not in offered:
        raise ParameterError(f"{option} is {name!r}; there is no such {model} model.{did_you_mean(name, offered)}")
    module, _, attribute = offered[short].partition(":")
    factory = getattr(importlib.import_module(f"cambist.simulation.{module}"), attribute)
    _check_settings(f"{option} = {name!r}", factory, settings)
    return factory(**settings)


def _check_settings(what: str, factory: Any, settings: Mapping[str, Any]) -> None:
    parameters = inspect.signature(factory).parameters
    for name in settings:
        if name not in parameters:
            raise ParameterError(f"{what} has no setting {name!r}.{did_you_mean(name, parameters)}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in settings:
            raise ParameterError(f"{what} needs {name}: {{'use': ..., {name!r}: ...}}.")
