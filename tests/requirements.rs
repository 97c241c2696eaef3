//! Every requirement is named by a test that shows it, or is left out for a reason: `requirements.txt` is the list.

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The tests that name an id, as `file::function`.
type Tests = BTreeSet<String>;

/// A line of the list.
enum Line {
    /// What the next requirements are about, with the `#` before it.
    Heading(&'static str),
    Requirement(Requirement),
}

struct Requirement {
    id: &'static str,
    words: &'static str,
    /// Why it is left out, if it is.
    reason: Option<&'static str>,
}

fn listed() -> Vec<Line> {
    let lines = include_str!("requirements.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("# "));
    let read = |line: &'static str| {
        if line.starts_with('#') {
            return Line::Heading(line);
        }
        let (id, words) = line.split_once(' ').expect("an id and some words");
        assert_eq!(ids(id), [id], "no id: {line}");
        let (words, reason) = match words.split_once(" - ") {
            Some((words, reason)) => (words, Some(reason)),
            None => (words, None),
        };
        Line::Requirement(Requirement { id, words, reason })
    };
    lines.map(read).collect()
}

/// Returns all that looks like an id in a text: capitals, a hyphen and two digits, as a word of its own.
fn ids(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| {
            word.split_once('-').is_some_and(|(prefix, number)| {
                (1..=2).contains(&prefix.len())
                    && prefix.starts_with(|c: char| c.is_ascii_uppercase())
                    && prefix.chars().all(|c| c.is_ascii_uppercase())
                    && number.len() == 2
                    && number.chars().all(|c| c.is_ascii_digit())
            })
        })
        .collect()
}

/// Returns the tests of a source with their documentation: the comments right above `#[test]` and its like, and not those
/// of anything else.
fn tests(source: &str) -> Vec<(&str, String)> {
    let mut tests = Vec::new();
    let mut comment = String::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
            comment.push('\n');
        } else if line == "#[test]"
            || line
                .trim_start_matches(['#', '[', ':'])
                .starts_with("tokio::test")
        {
            is_test = true;
        } else if !line.starts_with("#[") {
            if is_test && let Some((_, name)) = line.split_once("fn ") {
                let end = name.find('(').expect("a function has parentheses");
                tests.push((&name[..end], core::mem::take(&mut comment)));
                is_test = false;
            }
            comment.clear();
        }
    }
    tests
}

/// Adds the ids that tests below `directory` name.
fn collect(root: &Path, directory: &Path, named: &mut BTreeMap<String, Tests>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, named);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source file is text");
            let path = path.strip_prefix(root).expect("it lies below");
            let file = path.to_str().expect("names are ASCII").replace('\\', "/");
            for (test, doc) in tests(&source) {
                for id in ids(&doc) {
                    let tests = named.entry(id.into()).or_default();
                    tests.insert(format!("{file}::{test}"));
                }
            }
        }
    }
}

fn named() -> BTreeMap<String, Tests> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeMap::new();
    collect(root, &root.join("tests"), &mut named);
    collect(root, &root.join("src"), &mut named);
    named
}

/// Returns a row of the table, and what is wrong with it.
fn row(requirement: &Requirement, tests: Option<&Tests>) -> (String, Option<String>) {
    let Requirement { id, words, reason } = requirement;
    let (shown, wrong) = match (reason, tests) {
        (None, Some(tests)) => {
            let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
            (tests.join("<br>"), None)
        }
        (Some(reason), None) => (format!("left out: {reason}"), None),
        (None, None) => (
            String::from("**nothing**"),
            Some(format!("{id} is named by no test")),
        ),
        (Some(_), Some(tests)) => (
            String::from("**left out, and yet named**"),
            Some(format!("{id} is left out and yet named in {tests:?}")),
        ),
    };
    (format!("| {id} | {words} | {shown} |"), wrong)
}

/// Each requirement is named by a test or left out for a reason, not both, and tests name no others of these families.
/// `make requirements` prints the table.
#[test]
fn table() {
    let named = named();
    let mut known = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in listed() {
        match line {
            Line::Heading(heading) => {
                println!("\n{heading}\n\n| requirement | what | shown by |\n|---|---|---|");
            }
            Line::Requirement(requirement) => {
                let id = requirement.id;
                let (row, bad) = row(&requirement, named.get(id));
                println!("{row}");
                wrong.extend(bad);
                if !known.insert(id) {
                    wrong.push(format!("{id} is listed twice"));
                }
            }
        }
    }
    println!();
    let family = |id: &str| id.split('-').next().map(String::from);
    let families: BTreeSet<_> = known.iter().map(|id| family(id)).collect();
    for (id, tests) in &named {
        if families.contains(&family(id)) && !known.contains(id.as_str()) {
            wrong.push(format!("{id}, named in {tests:?}, is no requirement"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The list has all of both RFCs: no number is left out.
#[test]
fn the_list_has_no_gaps() {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for line in listed() {
        if let Line::Requirement(Requirement { id, .. }) = line {
            let (family, number) = id.split_once('-').expect("an id");
            let last = last.entry(family).or_default();
            *last += 1;
            assert_eq!(number.parse(), Ok(*last), "{id}");
        }
    }
    for (family, count) in [("DN", 15), ("DP", 24), ("DF", 9), ("DC", 11), ("DD", 10)] {
        assert_eq!(last.get(family), Some(&count), "{family}");
    }
}

/// Returns the tests that a document names, as `file.rs::function`.
fn tests_in(document: &str) -> impl Iterator<Item = (&str, &str)> {
    document
        .split('`')
        .filter_map(|code| code.split_once(".rs::"))
}

/// What SECURITY.md says is shown by tests that exist.
#[test]
fn what_is_said_of_security_is_shown_by_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, name) in tests_in(include_str!("../SECURITY.md")) {
        count += 1;
        let path = root.join("tests").join(file).with_extension("rs");
        let source = fs::read_to_string(path).unwrap_or_default();
        if !tests(&source).iter().any(|(test, _)| *test == name) {
            wrong.push(format!("{file}.rs::{name} is no test"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count > 50, "{count} were found");
}

/// The search sees ids in the documentation of tests, with their names, and nowhere else.
#[test]
fn only_the_documentation_of_a_test_names_a_requirement() {
    let source = "
        /// AB-01, C-02: both.
        /// D-03, too, but not UTF-8 or RFC-6455.
        #[test]
        #[ignore]
        fn test() {} // E-04
        /// F-05: no test.
        fn helper() {}
        #[test]
        fn another() {}
        /// G-06: in a runtime.
        #[::tokio::test(start_paused = true)]
        async fn third() {
            /// H-07: inside.
            let fn_name = 1;
        }
    ";
    let found: Vec<_> = tests(source)
        .iter()
        .map(|(test, doc)| format!("{test} {}", ids(doc).join(" ")))
        .collect();
    assert_eq!(found, ["test AB-01 C-02 D-03", "another ", "third G-06"]);
}
