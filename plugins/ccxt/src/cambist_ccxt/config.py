"""What may be set of a session that polls."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cambist_ccxt.settings import MaybeSecret  # noqa: TC001 - pydantic reads the annotations

__all__ = ["CcxtSettings"]


class CcxtSettings(BaseModel):
    """Settings of a session; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    exchange: str = Field(description="ccxt's name of it, such as 'kraken'")
    key: MaybeSecret = Field(None, description="API key; none for market data alone")
    secret: MaybeSecret = Field(None, description="what the key signs with")
    password: MaybeSecret = Field(None, description="where the exchange wants one besides")
    sandbox: bool = Field(False, description="trade at the exchange's test net")
    proxy: str = Field("", description="HTTP proxy")
    ip: Literal[0, 4, 6] = Field(0, description="version of the Internet protocol: 4, 6, or 0 for whichever answers")
    timeout: float = Field(10.0, gt=0, le=120, description="within which a request must be answered")
    poll_every: float = Field(2.0, gt=0, description="between looks at the account and at the market")
    max_clock_skew: float = Field(30.0, gt=0, description="how far this machine's clock may be off")
    options: dict[str, Any] = Field(default_factory=dict, description="ccxt's options of the exchange")
    urls: dict[str, str] = Field(
        default_factory=dict, description="base addresses by ccxt's names, instead of the exchange's own"
    )
