"""Paper trading: live market data, and orders that the simulated venue works."""

from cambist.live.paper.session import PaperSession
from cambist.live.paper.settings import PaperSettings

__all__ = ["PaperSession", "PaperSettings"]
