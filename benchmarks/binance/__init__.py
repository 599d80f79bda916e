"""Speed of the sessions of cambist-binance on loopback."""
