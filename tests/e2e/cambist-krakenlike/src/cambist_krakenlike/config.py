"""What may be set."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from cambist.api import ConfigError, Secret

MAIN = "https://api.krakenlike.example"


class KrakenlikeSettings(BaseModel):
    """Settings of a session."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(MAIN, description="address of the venue")
    key: Secret | None = Field(None, description="API key; none for market data alone")
    secret: Secret | None = Field(None, description="secret of the key")
    timeout: float = Field(10.0, gt=0, description="seconds within which a request must be answered")


def fit_environment(environment, settings):
    local = str(settings.get("url", "")).startswith("http://127.0.0.1:")
    if environment == "testnet":
        raise ConfigError("this venue has no place to practice: write environment = 'dev', with a simulator's url.")
    if local is not (environment == "dev"):
        raise ConfigError(f"url is {settings.get('url', MAIN)!r}, which is no place of {environment}.")
    return {}
