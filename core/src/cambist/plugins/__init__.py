"""The plugin system: records, hooks, the loader and the registry. Plugin authors import ``cambist.api``."""
