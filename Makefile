# What CI runs, by name. `make` alone is what to run before a commit.

FEATURES = $(shell cargo metadata --no-deps --format-version 1 \
    | python3 -c 'import json, sys; print(*json.load(sys.stdin)["packages"][0]["features"])')
DRIVER = --manifest-path autobahn/driver/Cargo.toml
PEERS = --manifest-path benches/peers/Cargo.toml

.PHONY: check lint features test doc autobahn autobahn-quick autobahn-compressed autobahn-full autobahn-chop interop browser \
    bench bench-smoke bench-peers lint-peers

check: lint test

lint:
	cargo fmt --check && cargo fmt --check $(DRIVER)
	cargo clippy --all-targets --all-features -- -D warnings
	cargo clippy $(DRIVER) --target-dir autobahn/target -- -D warnings

# No feature, then each one alone: a feature only adds.
features:
	cargo clippy --no-default-features -- -D warnings
	set -e; for feature in $(FEATURES); do \
	    echo "feature $$feature"; cargo clippy --no-default-features --features $$feature -- -D warnings; done

test:
	cargo test --all-features

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features

# The Autobahn testsuite, in both roles; see `autobahn/run --help`.
autobahn:
	autobahn/run both default

autobahn-quick:
	autobahn/run both quick

autobahn-compressed:
	autobahn/run both compressed

autobahn-full:
	autobahn/run both full

autobahn-chop:
	autobahn/run both default --chop

# The examples against clients and servers that are not ours.
interop:
	interop/run peers

browser:
	interop/run browser

bench:
	cargo bench

# The benchmarks run once each, to show that they do.
bench-smoke:
	cargo test --benches

# The same bytes through other WebSocket crates; FILTER="--only receive --quick" takes a part. glibc's slow `rep movsb` copy
# is off, since it is up to six times slower by luck of alignment.
bench-peers:
	mkdir -p benches/peers/target
	GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000 cargo run --release $(PEERS) -- $(FILTER)

lint-peers:
	cargo fmt --check $(PEERS)
	cargo clippy $(PEERS) -- -D warnings
