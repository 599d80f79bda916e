"""What may be set."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cambist_ccxt.settings import MaybeSecret  # noqa: TC001 - pydantic reads the annotations

__all__ = ["BinanceSettings"]


class BinanceSettings(BaseModel):
    """Settings of a session; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key: MaybeSecret = Field(None, description="API key; none for market data alone")
    secret: MaybeSecret = Field(
        None, description="secret of an HMAC key, or the private key (PEM) of an RSA or Ed25519 key"
    )
    environment: Literal["mainnet", "testnet", "demo"] = Field("mainnet", description="which of the venue's worlds")
    url: str = Field(
        "", description="address of an exchange simulator, such as http://127.0.0.1:8800; goes before environment"
    )
    proxy: str = Field("", description="HTTP proxy for requests and streams")
    ip: Literal[0, 4, 6] = Field(0, description="version of the Internet protocol: 4, 6, or 0 for whichever answers")
    shared_limits: bool = Field(
        True, description="count what other processes of this machine use up of the venue's limits"
    )
    timeout: float = Field(10.0, gt=0, le=120, description="within which a request must be answered")
    recv_window: int = Field(5_000, ge=100, le=60_000, description="how old a request may be when it arrives, ms")
    max_clock_skew: float = Field(30.0, gt=0, description="how far this machine's clock may be off")
    transport: Literal["websocket", "rest"] = Field(
        "websocket", description="how orders go out; rest also where the WebSocket API is down"
    )
    self_trade_prevention: Literal["", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"] = Field(
        "", description="what happens where an order would trade with one of the same account; the venue's default"
    )
    working_type: Literal["CONTRACT_PRICE", "MARK_PRICE"] = Field(
        "CONTRACT_PRICE", description="price that sets off stops of futures"
    )
    countdown: float = Field(
        0.0,
        ge=0,
        description="futures: after so long without a sign of life the venue cancels all open orders; 0 for never",
    )
    leverage: dict[str, int] = Field(default_factory=dict, description="futures: leverage by symbol, set at the start")
    margin: dict[str, Literal["cross", "isolated"]] = Field(
        default_factory=dict, description="futures: what backs positions, by symbol, set at the start"
    )
    read_only: bool = Field(False, description="ask only: whatever would change something at the venue is refused")
    allow_withdrawals: bool = Field(
        False, description="take a key that may withdraw; a key like that in the wrong hands empties the account"
    )
    quiet_after: float = Field(60.0, gt=0, description="after which a silent subscription counts as stale")
    maker_fee: float | None = Field(None, gt=-1, lt=1, description="fraction of the value; the venue's usual one")
    taker_fee: float | None = Field(None, gt=-1, lt=1, description="fraction of the value; the venue's usual one")
