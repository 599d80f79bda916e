"""The sessions pass the suite that ships with Cambist, against the exchange simulator over real sockets."""

from cambist_binance.conformance import *  # noqa: F403 - pytest looks for the classes in this module
