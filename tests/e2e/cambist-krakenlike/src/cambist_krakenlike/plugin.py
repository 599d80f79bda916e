"""What cambist reads when it starts."""

from __future__ import annotations

from cambist.api import SessionSpec, hookimpl


@hookimpl
def cambist_sessions():
    return [
        SessionSpec(
            name="krakenlike",
            factory="cambist_krakenlike.session:KrakenlikeSession",
            config="cambist_krakenlike.config:KrakenlikeSettings",
            environment="cambist_krakenlike.config:fit_environment",
            summary="Spot of an exchange that calls bitcoin XBT",
            capabilities=["orders", "streams", "history", "spot", "keyless"],
            conformance="cambist_krakenlike.conformance",
        )
    ]
