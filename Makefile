# Few targets, each whole. On Debian, and as root, they install what is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Base images and, in CI, the compiled dependencies are kept here, outside the checkout.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/dind-init
ifeq ($(CI),true)
export CARGO_TARGET_DIR ?= $(CACHE)/target
endif

# The Debian whose Docker the image holds: trixie (Docker 26.1), sid (Docker 28)
# or bookworm (Docker 20.10). busybox: trixie's Docker, with busybox in Debian's place.
SUITE ?= trixie
# Two checkouts on one machine do not take each other's image if they name theirs differently.
export DIND_INIT_IMAGE ?= localhost/dind-init
DEBIAN = $(if $(filter busybox,$(SUITE)),trixie,$(SUITE))
TAG = $(if $(filter trixie,$(SUITE)),dev,dev-$(SUITE))

# Everything is built for an explicit target (.cargo/config.toml), so its name is in the path.
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)/$(shell rustc -vV | sed -n 's/^host: //p')
CONTEXT = $(TARGET_DIR)/image

.PHONY: help demo quick test image targets bench fuzz check release
help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 8

demo: image ## See a job's first docker command work, and a broken pod explain itself
	cargo run --quiet --locked --example demo

quick: check ## Nearly all that needs no pod, and three pods: a few minutes, once everything is built
	CI=$${CI:-false} .ci/suite quick

test: check ## Check everything, make the images, and run every test, real pods included
	$(MAKE) image SUITE=trixie
	$(MAKE) image SUITE=sid
	$(MAKE) image SUITE=bookworm
	tests/component/interpreter.sh >/dev/null
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked; \
	else cargo test --locked -- --test-threads=2; fi
	CI=$${CI:-false} .ci/suite busybox

image: ## Make localhost/dind-init:dev (SUITE=sid|bookworm|busybox: dev-sid and so on) with Debian's own Docker
	@images/tools.sh pods
	images/base.sh $(DEBIAN)
	$(if $(filter busybox,$(SUITE)),images/podman build --quiet --pull-never --network=none \
	    --file images/busybox.Dockerfile --tag localhost/dind-base:busybox images)
	cargo build --locked --release --bin dind-init
	install -D $(TARGET_DIR)/release/dind-init $(CONTEXT)/dind-init
	images/podman build --quiet --pull-never --network=none --file images/debian.Dockerfile \
	    --build-arg BASE_IMAGE=localhost/dind-base:$(SUITE) --tag $(DIND_INIT_IMAGE):$(TAG) $(CONTEXT)

targets: ## Compile and try what no machine here is: arm64, and musl
	.ci/targets

bench: image ## Measure what docs/figures.md says, and write it (OFFICIAL_IMAGE=docker:29-dind, OLDER_BINARY=/path: that beside it)
	@command -v gnuplot >/dev/null || { echo "make: to draw the plot, as root: apt-get install gnuplot-nox" >&2; exit 69; }
	OFFICIAL_IMAGE=$(OFFICIAL_IMAGE) OLDER_BINARY=$(OLDER_BINARY) cargo bench --locked
	gnuplot -c benches/figures/starts.gnuplot $(TARGET_DIR)/tmp/starts.tsv docs/figures.svg
	@echo "From a job's docker command to the reason, the slowest rows of the fault matrix:"
	@cargo nextest run --locked --success-output immediate \
	    -E 'binary(e2e) and test(/^faults::.*docker_26$$/)' 2>&1 \
	    | sed -n 's/^ *\([A-Z-]*\): the job took \(.*\)/\2 \1/p' | sort -rn | head -n 12

# What cargo-fuzz passes to rustc is for nightly compilers only; the variable lets a stable one take
# it. A sanitizer would need a standard library built for it, and there is little unsafe code here:
# panics, hangs and memory are what is looked for. libFuzzer itself is C++.
SECONDS_EACH ?= 60
fuzz: ## Run every fuzz target for a minute (SECONDS_EACH=600: for ten)
	@images/tools.sh fuzz
	@cargo fuzz --version >/dev/null 2>&1 || { echo "make: as yourself, run: cargo install cargo-fuzz --locked" >&2; exit 69; }
	@for target in $$(sed -n 's/^name = "\([a-z_]*\)"$$/\1/p' fuzz/Cargo.toml); do \
	    echo "fuzzing $$target for $(SECONDS_EACH) s"; \
	    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none --target $(shell rustc -vV | sed -n 's/^host: //p') \
	        $$target -- -max_total_time=$(SECONDS_EACH) -timeout=20 -rss_limit_mb=1024 -verbosity=0; \
	done

check: ## Formatting, lints, licences, shell scripts
	@images/tools.sh build
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
	    cargo fetch --locked --quiet; \
	    echo "cargo deny check bans licenses sources"; cargo deny --offline check bans licenses sources; \
	else echo "make: without cargo-deny, nobody has looked at licences and sources; to have it: cargo install cargo-deny --locked" >&2; fi
	shellcheck --external-sources images/podman images/*.sh .ci/* release/*.sh tests/compliance/control/*.sh tests/component/*.sh
	shellcheck --shell=sh component/*.sh

release: ## Make the commit of a release (VERSION=1.2.3)
	@release/prepare.sh '$(VERSION)'
