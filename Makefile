# Every target is a script in scripts/ and can be called without make.

.PHONY: help demo test soak soak-simulator foreign-clients check bench docs written pin clean

help:
	@echo 'make demo             make .venv, install core and plugins, backtest an example, trade it live at a simulator'
	@echo 'make test             the same with the test tools, then the tests; ARGS="tests/unit -k order" narrows them'
	@echo 'make soak             the whole fault matrix, storms, kills, a million orders; ARGS="storm --storm 7200" for a part'
	@echo 'make soak-simulator   load a simulated venue and watch its memory; ARGS="--minutes 60" for longer'
	@echo 'make foreign-clients  run clients that others wrote against the simulated venue'
	@echo 'make check            lint, format, types, layers'
	@echo 'make bench            measure speed beside other engines'
	@echo 'make docs             build the documentation'
	@echo 'make written          write anew the pages and files that come from the sources'
	@echo 'make pin              write constraints.txt anew from the newest versions'
	@echo 'make clean            remove .venv and everything that was built'

demo:
	@bash scripts/demo

test:
	@bash scripts/test $(ARGS)

soak:
	@bash scripts/soak $(ARGS)

soak-simulator:
	@bash scripts/soak-simulator $(ARGS)

foreign-clients:
	@bash scripts/foreign-clients $(ARGS)

check:
	@bash scripts/check

bench:
	@bash scripts/bench $(ARGS)

docs:
	@bash scripts/docs

written:
	@bash scripts/written

pin:
	@bash scripts/pin

clean:
	rm -rf .venv .venv-* build dist demo-result docs/_build .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -type d -name __pycache__ -prune -exec rm -rf {} +
