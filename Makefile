# What CI runs, by name. `make` alone is what to run before a commit.

FEATURES = $(shell cargo metadata --no-deps --format-version 1 \
    | python3 -c 'import json, sys; print(*json.load(sys.stdin)["packages"][0]["features"])')
DRIVER = --manifest-path autobahn/driver/Cargo.toml
DIFFERENTIAL = --manifest-path differential/Cargo.toml

.PHONY: check lint features test doc autobahn autobahn-quick autobahn-compressed autobahn-full autobahn-chop interop browser \
    bench bench-smoke differential differential-smoke

check: lint test

lint:
	cargo fmt --check && cargo fmt --check $(DRIVER) && cargo fmt --check $(DIFFERENTIAL)
	cargo clippy --all-targets --all-features -- -D warnings
	cargo clippy $(DRIVER) --target-dir autobahn/target -- -D warnings
	cargo clippy $(DIFFERENTIAL) --all-targets --target-dir differential/target -- -D warnings

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

# Against other implementations, on inputs made from a seed.
differential:
	cargo run --release $(DIFFERENTIAL) --target-dir differential/target --bin deflate -- 1000000

differential-smoke:
	cargo run --release $(DIFFERENTIAL) --target-dir differential/target --bin deflate -- 50000

# Frames and heads of handshakes, against RFC 6455 read naively and against other crates.
.PHONY: differential-peers differential-peers-smoke

differential-peers:
	cargo run --release $(DIFFERENTIAL) --target-dir differential/target --bin peers -- 2000000
	cargo run --release $(DIFFERENTIAL) --target-dir differential/target --bin handshake -- 1000000

differential-peers-smoke:
	cargo run --release $(DIFFERENTIAL) --target-dir differential/target --bin peers -- 30000
	cargo run --release $(DIFFERENTIAL) --target-dir differential/target --bin handshake -- 30000
