"""An exchange on loopback: real wire protocols, a deterministic market, faults on purpose."""
