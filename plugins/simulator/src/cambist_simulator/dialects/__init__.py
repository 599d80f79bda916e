"""Protocols of venues over the exchange: text in, text out."""
