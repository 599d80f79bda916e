"""A stranger's exchange: its coins have names of their own (XBT), and it speaks the generic protocol.

It stands on the ports and on aiohttp, and on nothing that our own venues share.
"""
