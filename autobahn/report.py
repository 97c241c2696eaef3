#!/usr/bin/env python3
"""Judges reports of the Autobahn testsuite more strictly than the suite does.

Every expected case must be there, its behaviour and its closing OK (INFORMATIONAL only where nothing else
exists; NON-STRICT fails), and a broken rule must have been answered with a Close frame with the right code.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import cases

Results = dict[cases.Case, dict[str, Any]]


def read(reports: Path) -> Results:
    """The results of all shards under `reports`; each one is the report of the one agent that ran."""
    results: Results = {}
    for index in sorted(reports.glob("*/index.json")):
        for agent in json.loads(index.read_text()).values():
            for case, result in agent.items():
                results[case] = {**result, "report": index.parent / result["reportfile"]}
    return results


def faults(case: cases.Case, result: dict[str, Any], codes: cases.Codes | None) -> list[str]:
    """What is wrong with one case."""
    accepted = ("OK", "INFORMATIONAL") if case in cases.INFORMATIONAL else ("OK",)
    found = [
        f"{what} {result[field]}"
        for what, field in (("behaviour", "behavior"), ("closing", "behaviorClose"))
        if result[field] not in accepted
    ]
    code = result["remoteCloseCode"]
    if codes is not None and code not in codes:
        wanted = " or ".join(map(str, sorted(codes)))
        found.append(f"ended {f'with code {code}' if code else 'without a close code'}, not {wanted}")
    if found:
        details = json.loads(result["report"].read_text())
        found.append(f"the suite says: {details['result']} / {details['resultClose']}")
    return found


def judge(title: str, reports: Path, expected: list[cases.Case]) -> bool:
    """Prints a summary and every fault. True when there is none."""
    results = read(reports)
    required = {case: codes for case, codes in cases.required_codes().items() if case in expected}
    wrong = {
        case: ["missing"] if case not in results else faults(case, results[case], required.get(case))
        for case in expected
    }
    wrong |= {case: ["not asked for"] for case in results.keys() - set(expected)}
    wrong = {case: found for case, found in wrong.items() if found}

    def tally(field: str) -> str:
        counts = Counter(result[field] for result in results.values())
        return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()) or "none"

    answered = sum(
        results[case]["remoteCloseCode"] in codes for case, codes in required.items() if case in results
    )
    print(f"{title}: {len(results)} of {len(expected)} cases ran")
    print(f"  behaviour: {tally('behavior')}")
    print(f"  closing:   {tally('behaviorClose')}")
    print(f"  broken rules answered with the right close code: {answered} of {len(required)}")
    alike = defaultdict(list)
    for case, found in wrong.items():
        alike["; ".join(found)].append(case)
    for found, group in alike.items():
        print(f"  WRONG {' '.join(group)}: {found}")
    verdict = f"FAILED, {len(wrong)} cases" if wrong else "STRICT PASS"
    print(f"  {verdict}; details: {os.path.relpath(reports)}/*/index.html")
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, help="a folder with one folder of reports in it for each shard")
    parser.add_argument("selection", choices=("quick", "default", "compressed", "full"))
    options = parser.parse_args()
    expected = cases.select(options.selection)
    return 0 if judge(str(options.reports), options.reports, expected) else 1


if __name__ == "__main__":
    sys.exit(main())
