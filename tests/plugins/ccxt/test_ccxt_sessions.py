"""The session for any exchange passes the suite that ships with Cambist: ccxt's own classes against the simulator."""

from cambist_ccxt.conformance import *  # noqa: F403 - pytest looks for the classes in this module
