"""The feed passes the suites that ship with Cambist."""

from cambist_yahoo.conformance import *  # noqa: F403 - pytest looks for the classes in this module
