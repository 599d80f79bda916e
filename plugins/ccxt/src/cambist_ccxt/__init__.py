"""Live trading at any exchange that ccxt knows, and what the plugins of venues share.

The parts are made to be put together, not to be inherited: a clock, a rate budget, a client of REST, connections that
come back, channels, maps of symbols. `cambist_ccxt.session` puts them together for any exchange, by polling.
"""
