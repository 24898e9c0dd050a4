# Short names for what deploy/launcher does. `exec` leaves no shell in between, so signals reach the launcher.
PYTHON ?= python3
ARGS ?=
LAUNCHER = exec $(PYTHON) -m deploy.launcher

.DEFAULT_GOAL := help
.PHONY: help run test check audit bench fuzz load soak lighthouse chaos pin test-compose

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start everything on this machine and print the addresses; SCALP_PORT, SCALP_FLOWER_PORT choose the ports
	@$(LAUNCHER) run

test: ## install what the tests need, then checks and every test; ARGS='-k word' goes to pytest
	@$(LAUNCHER) test $(ARGS)

check: ## linters, types, walls
	@$(LAUNCHER) check

audit: ## whether a pinned package is known to be vulnerable; part of the tests where PyPI answers
	@$(LAUNCHER) audit

bench: ## measure against other ways and servers; JSON in var/bench.json; ARGS=--help lists the options
	@$(LAUNCHER) bench $(ARGS)

fuzz: ## send everything broken and malicious to a web server; JSON in var/hostile.json; ARGS=--help lists the options
	@$(LAUNCHER) fuzz $(ARGS)

load: ## phones, browsers and hammerers in numbers; JSON in var/load.json; ARGS=--help lists the options
	@$(LAUNCHER) load $(ARGS)

soak: ## 30 minutes of them, and the memory of each process
	@$(LAUNCHER) soak $(ARGS)

lighthouse: ## measure the pages as a mid-range phone sees them; needs Node; reports in var/lighthouse
	@$(LAUNCHER) lighthouse $(ARGS)

chaos: ## break each part under load and count; table in var/chaos-DATABASE.md; ARGS=--help lists the options
	@$(LAUNCHER) chaos $(ARGS)

pin: ## write requirements/*.txt from requirements/*.in; ARGS=--upgrade takes newer versions
	@$(LAUNCHER) pin $(ARGS)

test-compose: ## start the containers of docker-compose.yml and try them; needs Docker
	@exec deploy/test-compose
