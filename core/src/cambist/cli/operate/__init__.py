"""The commands by which a live run is operated."""
