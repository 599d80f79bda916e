"""Speed of whole live runs on loopback: stream, wire, session, engine, strategy, journal, order."""
