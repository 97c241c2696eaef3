# What CI runs, by name. `make` alone is what to run before a commit.

FEATURES = $(shell cargo metadata --no-deps --format-version 1 \
    | python3 -c 'import json, sys; print(*json.load(sys.stdin)["packages"][0]["features"])')
# The packages that only serve this one.
PACKAGES = autobahn/driver benches/load benches/peers bounds differential fuzz interop/peer

.PHONY: check lint features test doc requirements autobahn autobahn-quick autobahn-compressed autobahn-full autobahn-chop \
    interop interop-deflate browser hostile bench bench-smoke fuzz differential differential-smoke \
    differential-peers differential-peers-smoke bounds bench-peers bench-before bench-shortcuts bench-mask bench-growth bench-load \
    bench-idle coverage mutants platforms

check: lint test

lint:
	cargo fmt --check
	cargo clippy --all-targets --all-features -- -D warnings
	cargo clippy --all-targets -- -D warnings
	set -e; for package in $(PACKAGES); do \
	    cargo fmt --check --manifest-path $$package/Cargo.toml; \
	    cargo clippy --manifest-path $$package/Cargo.toml --all-targets --target-dir target/packages -- -D warnings; done

# No feature, then each one alone: a feature only adds.
features:
	cargo clippy --no-default-features --all-targets -- -D warnings
	set -e; for feature in $(FEATURES); do \
	    echo "feature $$feature"; cargo clippy --no-default-features --features $$feature --all-targets -- -D warnings; done

test:
	cargo test --all-features

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features

# Each requirement with the tests that show it, as Markdown; fails if there is one without.
requirements:
	@cargo test --quiet --test requirements -- --nocapture --exact table

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

# Every combination of the parameters of permessage-deflate that a peer is able to.
interop-deflate:
	interop/run deflate

browser:
	interop/run browser

# What a client that means harm can make the echo server spend.
hostile:
	interop/run hostile

bench:
	cargo bench

# The benchmarks run once each, to show that they do.
bench-smoke:
	cargo test --benches

# Random input against laws, for FUZZ_SECONDS a target.
fuzz:
	fuzz/run

# Against other implementations, on inputs made from a seed.
differential:
	cargo run --release --manifest-path differential/Cargo.toml --target-dir differential/target --bin deflate -- 1000000

differential-smoke:
	cargo run --release --manifest-path differential/Cargo.toml --target-dir differential/target --bin deflate -- 50000

# The work that a peer can cause, counted in instructions by valgrind.
bounds:
	bounds/run

# How many lines of code src/connection has, by file; REV=COMMIT counts those of another commit, too.
lines:
	.ci/lines src/connection $(REV)

# Which lines of src/ the tests reach; fails below 98 %.
coverage:
	.ci/coverage

# The tests on other platforms and under checkers of memory and threads; fails where one cannot be had. PLATFORMS=miri takes one.
platforms:
	.ci/platforms $(PLATFORMS)

# Which changes of the code the tests do not notice; PARTS="utf8 frame" takes some. It takes hours.
mutants:
	.ci/mutants $(PARTS)

# The same bytes through other WebSocket crates; FILTER="--only receive --quick" takes a part, FILTER=--instructions counts
# them, too. glibc's slow `rep movsb` copy is off, since it is up to six times slower by luck of alignment.
bench-peers:
	GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000 cargo run --release --manifest-path benches/peers/Cargo.toml -- $(FILTER)

# This build beside that of the commit REV, as one more peer of the same run; FILTER as for `bench-peers`.
bench-before:
	benches/before "$(REV)" $(FILTER)

# What each short cut of receiving is worth: this build beside one without it.
bench-shortcuts:
	benches/shortcuts

# Frames and heads of handshakes, against RFC 6455 read naively and against other crates.
differential-peers:
	cargo run --release --manifest-path differential/Cargo.toml --target-dir differential/target --bin peers -- 2000000
	cargo run --release --manifest-path differential/Cargo.toml --target-dir differential/target --bin handshake -- 1000000

differential-peers-smoke:
	cargo run --release --manifest-path differential/Cargo.toml --target-dir differential/target --bin peers -- 30000
	cargo run --release --manifest-path differential/Cargo.toml --target-dir differential/target --bin handshake -- 30000

# The kernels of the masking loop, as a table and as plots in target.
bench-mask:
	benches/masking

# How the cost of a message grows with its length, its fragments and the connections; fails if too fast.
bench-growth:
	benches/growth $(FILTER)

# Echo servers over several crates: messages a second and processor time, then memory. FILTER="--only epoll --quick" takes a part.
bench-load:
	cargo run --release --manifest-path benches/load/Cargo.toml -- $(FILTER)

bench-idle:
	cargo run --release --manifest-path benches/load/Cargo.toml -- --idle 10000 $(FILTER)
