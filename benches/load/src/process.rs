//! A server in a process of its own, and what the system knows about it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one; it prints its port, and ends with this process at the latest, as its input does.
    pub fn start(name: &str) -> Self {
        let own = env::current_exe().expect("a program");
        let mut child = Command::new(own)
            .args(["--serve", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a port");
        let port = line.trim().parse().expect("a port");
        Self { child, port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the processor time that all threads of the server have taken so far, in and out of the kernel.
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵²")]
    pub fn processor_seconds(&self) -> f64 {
        let stat = self.read("stat");
        // The name of the program may have spaces.
        let (_, fields) = stat.rsplit_once(") ").expect("a name");
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
        let each = rustix::param::clock_ticks_per_second() as f64;
        // `utime` and `stime`, the 14th and 15th of all.
        (ticks(11) + ticks(12)) as f64 / each
    }

    pub fn resident_bytes(&self) -> f64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kibibytes
            .and_then(|text| text.parse::<f64>().ok())
            .expect("a number")
            * 1024.0
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("a running server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes sure that so many connections can be open, here and in the servers that are started from now on.
///
/// # Panics
///
/// If the system does not allow it.
pub fn raise_files(connections: usize) {
    let wanted = connections as u64 + 100;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum.map(|maximum| maximum.max(wanted)),
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        panic!(
            "{connections} connections need {wanted} open files, {limit:?} are allowed: {error}"
        );
    }
}
