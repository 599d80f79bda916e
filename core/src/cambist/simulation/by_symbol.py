"""One model for each instrument, and one for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["check_symbols", "models_by_symbol"]


def models_by_symbol(owner: str, models: Any, make: Callable[[Any], Any]) -> Mapping[str, Any]:
    """Return the models that a mapping by symbol holds, each made of what was said.

    Raises
    ------
    ParameterError
        If it is no mapping of texts, or a model cannot be made; the message names the symbol.
    """
    if not hasattr(models, "items") or not all(isinstance(symbol, str) and symbol for symbol in models):
        raise ParameterError(f"{owner}: models is {models!r}; give a mapping such as {{'BTC/USDT': 0.001}}.")
    made = {}
    for symbol, said in models.items():
        try:
            made[symbol] = make(said)
        except ParameterError as error:
            raise ParameterError(f"{owner}, {symbol}: {error}") from None
    return made


def check_symbols(option: str, model: object, symbols: Iterable[str]) -> None:
    """Hold that every symbol a model names is one of those traded.

    Raises
    ------
    ParameterError
        For the first that is not, with what was probably meant.
    """
    traded = list(symbols)
    for symbol in getattr(model, "symbols", ()):
        if symbol not in traded:
            raise ParameterError(f"{option} name {symbol!r}, which is not traded here.{did_you_mean(symbol, traded)}")
