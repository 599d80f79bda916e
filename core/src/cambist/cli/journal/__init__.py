"""`cambist journal`: the journal of a run, for people and for programs."""
