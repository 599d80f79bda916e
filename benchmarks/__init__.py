"""How fast Cambist is, beside other engines and beside the least that Python takes: ``python -m benchmarks``."""
