# One command each. Everything they need is brought by scripts/bootstrap.sh.
PY = .venv/bin/python

.PHONY: run test test-n8n check format bench proof lock

run:
	@scripts/bootstrap.sh run
	@exec $(PY) serve.py

# Three processes, for much of a test is waiting: a file's tests stay together, each process has a
# database of its own.
test:
	@scripts/bootstrap.sh test
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

# The shipped workflows in a real N8n, 2.3 GB the first time; the log is kept in docs/proof/.
test-n8n:
	@scripts/bootstrap.sh test
	@scripts/n8n.sh
	@N8N_LOG=docs/proof/n8n.log $(PY) -m pytest tests/n8n $(ARGS)

check:
	@scripts/bootstrap.sh test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@PATH="$(CURDIR)/.venv/bin:$$PATH" node_modules/.bin/biome lint --error-on-warnings
	@$(PY) -c "from importlinter.cli import lint_imports_command as l; l()"
	@git ls-files '*.py' '*.js' '*.mjs' '*.css' '*.html' '*.sh' | xargs wc -l | \
		awk '$$1 > 300 && $$2 != "total" { print "Worth a look, past 300 lines: " $$2 " (" $$1 ")" }'
	@$(PY) -m pytest --collect-only -qq tests/n8n > /dev/null || (echo "tests/n8n cannot be read."; exit 1)

format:
	@scripts/bootstrap.sh test
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench:
	@scripts/bootstrap.sh test
	@$(PY) -m bench

proof:
	@scripts/bootstrap.sh test
	@$(PY) -m tests.proof

# New pins after a change of requirements*.in; nothing of this machine's set-up gets into them.
lock:
	@scripts/bootstrap.sh test
	@scripts/lock.sh
