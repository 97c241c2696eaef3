//! The order of the source: imports point down, files and functions stay short, `unsafe` stands where it is allowed.

use std::fs;
use std::path::{Path, PathBuf};

/// The parts, from the bottom up: each may import those on lines above it, none on its own line or below.
const RANKS: &[&[&str]] = &[
    &[
        "error",
        "mask",
        "role",
        "pool",
        "setters",
        "spare",
        "random",
        "compression",
    ],
    &["buffer"],
    &["frame", "utf8", "payload"],
    &["text"],
    &["close", "message"],
    &["deflate"],
    &["config"],
    &["assemble"],
    &["connection", "handshake"],
    &["opened"],
    &["adapter"],
];

/// The same inside of `connection/`, `mod.rs` being the top.
const CONNECTION_RANKS: &[&[&str]] = &[
    &["encoded", "partial", "unsent"],
    &["control"],
    &["backlog"],
    &["event", "closing", "outgoing"],
    &["receive", "send"],
    &["replies"],
    &["mod"],
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["mask/x86.rs", "text.rs"];

/// The longest file, in lines of code, and the longest function, in lines with its signature.
const FILE_MAX: usize = 500;
const FUNCTION_MAX: usize = 60;

/// A source file: its path in `src/`, and its code without comments, strings and tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            code: without_tests(&without_comments(text)),
        }
    }

    /// Returns the part that the file belongs to: the name of its directory, or its own.
    fn part(&self) -> &str {
        let end = self.path.find(['/', '.']).unwrap_or(self.path.len());
        &self.path[..end]
    }

    /// Returns the name of the file inside of its directory, if it is in one.
    fn inner(&self) -> Option<&str> {
        let (_, name) = self.path.split_once('/')?;
        Some(name.split(['/', '.']).next().unwrap_or(name))
    }
}

/// Blanks comments and the contents of strings, line by line.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut chars = line.chars().peekable();
        let mut quoted = false;
        while let Some(c) = chars.next() {
            match c {
                '\\' if quoted => drop(chars.next()),
                '"' => {
                    quoted = !quoted;
                    code.push(c);
                }
                _ if quoted => {}
                '\'' if chars.peek() == Some(&'"') => {} // the character '"'
                '/' if chars.peek() == Some(&'/') => break,
                _ => code.push(c),
            }
        }
        code.push('\n');
    }
    code
}

/// Drops the test module, which is the last thing in a file.
fn without_tests(code: &str) -> String {
    let end = code.find("#[cfg(test)]\nmod tests").unwrap_or(code.len());
    code[..end].into()
}

/// Returns the names behind `prefix` in the code: of `{a, b::c}` all that stand at its front.
fn names_behind(code: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    names.push(first_name(name.trim()));
                    name.clear();
                } else {
                    name.push(c);
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            names.push(first_name(rest));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn rank(ranks: &[&[&str]], name: &str) -> Option<usize> {
    ranks.iter().position(|rank| rank.contains(&name))
}

/// Returns what is wrong with the imports of a file.
fn bad_imports(source: &Source) -> Vec<String> {
    let path = &source.path;
    if path == "lib.rs" {
        return Vec::new();
    }
    let Some(own) = rank(RANKS, source.part()) else {
        return vec![format!("{path} has no rank; give it one in tests/tidy.rs")];
    };
    let mut bad = Vec::new();
    let mut outside = names_behind(&source.code, "crate::");
    let mut inside = Vec::new();
    match source.inner() {
        // A file beside lib.rs: its parent is the crate, but that of a module inside of it is the file.
        None => outside.extend(
            names_behind(&source.code, "super::")
                .into_iter()
                .filter(|name| rank(RANKS, name).is_some()),
        ),
        Some("mod") => inside.extend(declared_parts(&source.code)),
        Some(_) => inside.extend(names_behind(&source.code, "super::")),
    }
    for name in outside {
        if name == source.part() {
            continue;
        }
        match rank(RANKS, &name) {
            None => bad.push(format!("{path} imports `crate::{name}` through lib.rs")),
            Some(other) if other >= own => bad.push(format!("{path} imports `{name}` upwards")),
            Some(_) => {}
        }
    }
    if source.part() == "connection" {
        let name = source.inner().unwrap_or_default();
        let Some(own) = rank(CONNECTION_RANKS, name) else {
            bad.push(format!("{path} has no rank; give it one in tests/tidy.rs"));
            return bad;
        };
        for name in inside {
            match rank(CONNECTION_RANKS, &name) {
                Some(other) if other < own => {}
                _ => bad.push(format!("{path} imports `super::{name}` upwards")),
            }
        }
    }
    bad
}

/// Returns the modules that a `mod.rs` declares.
fn declared_parts(code: &str) -> Vec<String> {
    code.lines()
        .filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("mod "))
        .map(first_name)
        .collect()
}

/// Returns which functions of a formatted file are too long.
fn long_functions(source: &Source) -> Vec<String> {
    let mut long = Vec::new();
    let lines: Vec<_> = source.code.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let is_function =
            line.trim_start().starts_with("fn ") || (line.contains(" fn ") && line.contains('('));
        if !is_function || line.trim_end().ends_with(';') {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let len = lines[start..].iter().position(|line| *line == end);
        let len = len.unwrap_or_default() + 1;
        if len > FUNCTION_MAX {
            long.push(format!(
                "{}: `{}` has {len} lines",
                source.path,
                line.trim()
            ));
        }
    }
    long
}

fn long_file(source: &Source) -> Option<String> {
    let lines = source.code.lines().filter(|line| !line.trim().is_empty());
    let len = lines.count();
    (len > FILE_MAX).then(|| format!("{} has {len} lines of code", source.path))
}

fn bad_unsafe(source: &Source) -> Option<String> {
    let words = source
        .code
        .split(|c: char| !c.is_alphanumeric() && c != '_');
    let count = words.filter(|word| *word == "unsafe").count();
    let allowed = usize::from(UNSAFE.contains(&source.path.as_str()));
    (count > allowed).then(|| format!("{} has `unsafe` {count} times", source.path))
}

/// Returns all files of `src/`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    assert!(paths.len() > 15, "the source was not found");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file is text");
        let path = path.strip_prefix(&root).expect("it lies in src/");
        let path = path.to_str().expect("names are ASCII").replace('\\', "/");
        Source::new(&path, &text)
    };
    paths.into_iter().map(read).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn assert_none(bad: &[String]) {
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
}

/// The arrows between the parts point down, and none goes through the façade.
#[test]
fn imports_point_down() {
    assert_none(&sources().iter().flat_map(bad_imports).collect::<Vec<_>>());
}

/// Code is read by people.
#[test]
fn files_and_functions_are_short() {
    let sources = sources();
    let mut bad: Vec<_> = sources.iter().filter_map(long_file).collect();
    bad.extend(sources.iter().flat_map(long_functions));
    assert_none(&bad);
}

/// `unsafe` stands in two places.
#[test]
fn unsafe_stands_in_two_places() {
    assert_none(&sources().iter().filter_map(bad_unsafe).collect::<Vec<_>>());
}

/// These checks see what they are for.
#[test]
fn the_checks_see_what_is_wrong() {
    let imports = |path: &str, text: &str| bad_imports(&Source::new(path, text)).len();
    assert_eq!(imports("frame.rs", "use crate::error::ProtocolError;"), 0);
    assert_eq!(
        imports("frame.rs", "use crate::close::CloseCode;"),
        1,
        "upwards"
    );
    assert_eq!(
        imports("frame.rs", "use super::close::CloseCode;"),
        1,
        "upwards"
    );
    assert_eq!(
        imports("frame.rs", "use crate::utf8::Utf8Validator;"),
        1,
        "sideways"
    );
    assert_eq!(
        imports("frame.rs", "use crate::{error::A, close::B};"),
        1,
        "in a group"
    );
    assert_eq!(imports("frame.rs", "use crate::Role;"), 1, "through lib.rs");
    assert_eq!(
        imports("frame.rs", "fn f() -> crate::Role {}"),
        1,
        "in code"
    );
    assert_eq!(
        imports("frame.rs", "/// [`Role`](crate::Role)"),
        0,
        "in a link"
    );
    assert_eq!(imports("new.rs", ""), 1, "no rank");
    assert_eq!(
        imports("handshake/key.rs", "use crate::connection::A;"),
        1,
        "siblings"
    );
    assert_eq!(
        imports("handshake/key.rs", "use super::server;"),
        0,
        "inside"
    );
    assert_eq!(
        imports("connection/send.rs", "use crate::handshake::A;"),
        1,
        "siblings"
    );
    assert_eq!(
        imports("connection/send.rs", "use super::closing::A;"),
        0,
        "down"
    );
    assert_eq!(
        imports("connection/send.rs", "use super::receive::A;"),
        1,
        "sideways"
    );
    assert_eq!(
        imports("connection/send.rs", "use super::Connection;"),
        1,
        "upwards"
    );
    assert_eq!(imports("connection/new.rs", ""), 1, "no rank");
    assert_eq!(
        imports("connection/mod.rs", "mod closing;\npub use closing::A;"),
        0
    );
    assert_eq!(
        imports(
            "role.rs",
            "#[cfg(test)]\nmod tests { use crate::close::A; }"
        ),
        0
    );

    let function = format!("    pub fn f(\n    ) {{\n{}    }}\n", "x;\n".repeat(58));
    assert_eq!(long_functions(&Source::new("a.rs", &function)).len(), 1);
    let function = function.replacen("x;\n", "", 1);
    assert_eq!(long_functions(&Source::new("a.rs", &function)).len(), 0);

    assert!(long_file(&Source::new("a.rs", &"x;\n".repeat(501))).is_some());
    assert!(long_file(&Source::new("a.rs", &"x;\n// y\n\n".repeat(500))).is_none());

    let block = "unsafe { f() }";
    assert!(bad_unsafe(&Source::new("frame.rs", block)).is_some());
    assert!(bad_unsafe(&Source::new("mask/x86.rs", block)).is_none());
    assert!(bad_unsafe(&Source::new("mask/x86.rs", &block.repeat(2))).is_some());
    assert!(
        bad_unsafe(&Source::new(
            "frame.rs",
            "// unsafe\n\"unsafe\" unsafe_code"
        ))
        .is_none()
    );
}
