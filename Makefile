# Short names for the commands of deploy/launcher. `exec` replaces the shell, so signals reach the launcher.
PYTHON ?= python3
ARGS ?=
LAUNCHER = exec $(PYTHON) -m deploy.launcher

.DEFAULT_GOAL := help
.PHONY: help run test check audit bench fuzz load soak lighthouse clients chaos pin test-compose

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start everything on this machine and print the addresses; SCALP_PORT and SCALP_FLOWER_PORT choose the ports
	@$(LAUNCHER) run

test: ## install what the tests need, then run all checks and tests; ARGS='-k word' is passed to pytest
	@$(LAUNCHER) test $(ARGS)

check: ## run linters, the type checker, import contracts and the phrase check
	@$(LAUNCHER) check

audit: ## check pinned packages for known vulnerabilities; part of `make test` if PyPI is reachable
	@$(LAUNCHER) audit

bench: ## compare performance with other runtimes and servers; JSON in var/bench.json; ARGS=--help lists the options
	@$(LAUNCHER) bench $(ARGS)

fuzz: ## send broken and malicious requests to a web server; JSON in var/hostile.json; ARGS=--help lists the options
	@$(LAUNCHER) fuzz $(ARGS)

load: ## simulate phones, browsers and abusive clients; JSON in var/load.json; ARGS=--help lists the options
	@$(LAUNCHER) load $(ARGS)

soak: ## run that load for 30 minutes and record the memory of each process
	@$(LAUNCHER) soak $(ARGS)

lighthouse: ## run Lighthouse on the pages as a mid-range phone; needs Node; reports in var/lighthouse
	@$(LAUNCHER) lighthouse $(ARGS)

clients: ## generate a Python and a TypeScript client from the OpenAPI document, and run both; needs Node
	@$(LAUNCHER) clients $(ARGS)

chaos: ## inject faults under load and verify every photo; table in var/chaos-DATABASE.md; ARGS=--help lists the options
	@$(LAUNCHER) chaos $(ARGS)

pin: ## write requirements/*.txt from requirements/*.in; ARGS=--upgrade allows newer versions
	@$(LAUNCHER) pin $(ARGS)

test-compose: ## build and start the containers of docker-compose.yml and test them; needs Docker
	@exec deploy/test-compose
