"""The venue's messages: bytes in, reports and market data out. Nothing here reads a clock or a socket.

Numbers of money are exact decimals, those of market data doubles. Numbers may come as text or as numbers: the venue
does both.
"""
