//! Instructions a message, counted by callgrind: what the clock cannot repeat, this can.
//!
//! valgrind knows no AVX-512, so libraries that have it run their AVX2 code.

use std::env;
use std::process::Command;

/// So many messages that what comes once does not show, and so many bytes that it ends.
fn messages(len: usize) -> usize {
    ((4 << 20) / len.max(1)).clamp(4, 4_000)
}

/// Returns the instructions a message, of so many bytes; `None` if they cannot be counted.
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
pub fn count(peer: &str, workload: &str, size: usize, len: usize) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=sansocket_peers::measured*")
        .arg(env::current_exe().ok()?)
        .args(["--once", peer, workload])
        .args([size.to_string(), messages(len).to_string()])
        // A copy by `rep movsb` would count as one instruction a byte.
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000",
        )
        .output()
        .ok()?;
    let said = String::from_utf8(output.stderr).ok()?;
    let collected: u64 = said
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.parse().ok())?;
    let done: u64 = str::from_utf8(&output.stdout).ok()?.trim().parse().ok()?;
    Some(collected as f64 / done as f64)
}
