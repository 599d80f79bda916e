"""The compiled path: a signal strategy played by one loop over columns, by the rules of the event engine."""
