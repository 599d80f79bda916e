"""How fast the simulator is, measured by programs of C: wrk for REST, a counter of frames for streams."""
