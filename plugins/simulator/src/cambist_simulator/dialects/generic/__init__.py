"""A small documented protocol of our own, to test a client or a plugin against."""
