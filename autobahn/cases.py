"""The cases of the Autobahn testsuite 25.10.1, and the close code that each broken rule asks for."""

from __future__ import annotations

Case = str
Codes = frozenset[int]

# Every case: group, number of cases in it.
GROUPS = {
    "1.1": 8, "1.2": 8, "2": 11, "3": 7, "4.1": 5, "4.2": 5, "5": 20,
    "6.1": 3, "6.2": 4, "6.3": 2, "6.4": 4, "6.5": 5, "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4, "6.10": 3,
    "6.11": 5, "6.12": 8, "6.13": 5, "6.14": 10, "6.15": 1, "6.16": 3, "6.17": 5, "6.18": 5, "6.19": 5,
    "6.20": 7, "6.21": 8, "6.22": 34, "6.23": 7,
    "7.1": 6, "7.3": 6, "7.5": 1, "7.7": 13, "7.9": 9, "7.13": 2,
    "9.1": 6, "9.2": 6, "9.3": 9, "9.4": 9, "9.5": 6, "9.6": 6, "9.7": 6, "9.8": 6, "10.1": 1,
    "12.1": 18, "12.2": 18, "12.3": 18, "12.4": 18, "12.5": 18,
    "13.1": 18, "13.2": 18, "13.3": 18, "13.4": 18, "13.5": 18, "13.6": 18, "13.7": 18,
}  # fmt: skip

# The cases in which the peer breaks a rule, with the codes that the failed connection may be closed with.
# The suite itself is content with a dropped connection in every one of them.
BROKEN_RULES: dict[str, Codes] = {
    **dict.fromkeys(
        "2.5 3.1-7 4.1.1-5 4.2.1-5 5.1-2 5.9-18 7.3.2 7.3.6 7.9.1-9".split(),
        frozenset({1002}),
    ),
    **dict.fromkeys(
        "6.3.1-2 6.4.1-4 6.6.1 6.6.3-4 6.6.6 6.6.8 6.6.10 6.8.1-2 6.10.1-3 6.11.5 6.12.1-8 6.13.1-5 6.14.1-10 "
        "6.15.1 6.16.1-3 6.17.1-5 6.18.1-5 6.19.1-5 6.20.1-7 6.21.1-8".split(),
        frozenset({1007}),
    ),
    # Invalid UTF-8 in a close reason: both a broken rule of the Close frame and invalid text.
    "7.5.1": frozenset({1002, 1007}),
}

# These report what a peer does where the RFC asks for nothing.
INFORMATIONAL = frozenset({"7.1.6", "7.13.1", "7.13.2"})


def expand(ranges: str) -> list[Case]:
    """`3.1-2 10.1.1` → 3.1, 3.2, 10.1.1."""
    cases = []
    for word in ranges.split():
        group, _, numbers = word.rpartition(".")
        first, _, last = numbers.partition("-")
        cases += [f"{group}.{n}" for n in range(int(first), int(last or first) + 1)]
    return cases


def select(selection: str) -> list[Case]:
    """The cases to run, in the suite's order."""
    cases = expand(" ".join(f"{group}.1-{count}" for group, count in GROUPS.items()))
    if selection == "compressed":  # a part of permessage-deflate: one offer, then a list of them
        return [case for case in cases if case.startswith(("12.1.", "13.7."))]
    left_out = {
        "quick": ("9.", "12.", "13."),  # seconds
        "default": ("12.", "13."),  # all but permessage-deflate
        "full": (),
    }[selection]
    return [case for case in cases if not case.startswith(left_out)]


def required_codes() -> dict[Case, Codes]:
    """The codes that a case may be closed with, for each case that must end in an error."""
    return {case: codes for ranges, codes in BROKEN_RULES.items() for case in expand(ranges)}
