//! Every requirement is named by a test that shows it, or is left out for a reason: `requirements.txt` is the list.

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Returns each id of the list with the reason for which it is left out, if it is.
fn listed() -> BTreeMap<&'static str, Option<&'static str>> {
    let mut listed = BTreeMap::new();
    for line in include_str!("requirements.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, words) = line.split_once(' ').expect("an id and some words");
        assert_eq!(ids(id), [id], "no id: {line}");
        let reason = words.split_once(" - ").map(|(_, reason)| reason);
        assert!(listed.insert(id, reason).is_none(), "{id} is listed twice");
    }
    listed
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

/// Returns the documentation of all tests: the comments right above `#[test]`
/// and its like, and not those of anything else.
fn docs_of_tests(source: &str) -> String {
    let mut docs = String::new();
    let mut comment = String::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
            comment.push('\n');
        } else if line == "#[test]" || line.starts_with("#[tokio::test") {
            docs.push_str(&comment);
            comment.clear();
        } else if !line.starts_with("#[") {
            comment.clear();
        }
    }
    docs
}

/// Adds the ids that tests below `directory` name, each with the file.
fn collect(directory: &Path, named: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, named);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source file is text");
            let file = path.display().to_string();
            for id in ids(&docs_of_tests(&source)) {
                named.entry(id.into()).or_default().insert(file.clone());
            }
        }
    }
}

fn named() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeMap::new();
    collect(&root.join("tests"), &mut named);
    collect(&root.join("src"), &mut named);
    named
}

/// Each requirement is named by a test or left out for a reason, not both, and tests name no others of these families.
/// `cargo test --test requirements -- --nocapture` prints what is left out.
#[test]
fn every_requirement_is_shown_by_a_test_or_left_out_for_a_reason() {
    let listed = listed();
    let named = named();
    let mut wrong = Vec::new();
    for (id, reason) in &listed {
        match (reason, named.get(*id)) {
            (None, None) => wrong.push(format!("{id} is named by no test")),
            (Some(reason), None) => println!("{id} is left out: {reason}"),
            (Some(_), Some(files)) => {
                wrong.push(format!("{id} is left out and yet named in {files:?}"));
            }
            (None, Some(_)) => {}
        }
    }
    let family = |id: &str| id.split('-').next().map(String::from);
    let families: BTreeSet<_> = listed.keys().map(|id| family(id)).collect();
    for (id, files) in &named {
        if families.contains(&family(id)) && !listed.contains_key(id.as_str()) {
            wrong.push(format!("{id}, named in {files:?}, is no requirement"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The search sees ids in the documentation of tests, and nowhere else.
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
    ";
    assert_eq!(ids(&docs_of_tests(source)), ["AB-01", "C-02", "D-03"]);
}
