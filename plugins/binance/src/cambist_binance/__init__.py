"""Binance for Cambist: spot, USD-M and COIN-M, as live venue sessions."""
