"""Counts the test cases of a `bazel test` from its build events: test_report EVENTS EXIT_STATUS [NAME=EXIT_STATUS ...].

EVENTS is what --build_event_json_file wrote: a JSON object a line, as build_event_stream.proto of Bazel describes them.
Each NAME is another program that counts as one case. Prints the failures and last a line "N passed, N failed", with
", N skipped" where some were. Its own exit status is 0 if at least one case passed and none failed.
"""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What a test target's overall status may be, apart from having run: it counts as one failure.
_NOT_RUN = ("NO_STATUS", "FAILED_TO_BUILD", "REMOTE_FAILURE", "TOOL_HALTED_BEFORE_TESTING", "INCOMPLETE")


def cases(report: Path) -> Iterator[tuple[str, str]]:
    """The name and the outcome ("passed", "failed", "skipped") of each case in a JUnit report."""
    for case in ET.parse(report).iter("testcase"):
        outcome = "passed"
        for child in case:
            if child.tag in ("failure", "error"):
                outcome = "failed"
            elif child.tag == "skipped":
                outcome = "skipped"
        yield case.get("name", "?"), outcome


def report_of(result: dict[str, Any]) -> Path | None:
    for output in result.get("testActionOutput", ()):
        if output["name"] == "test.xml":
            path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(output["uri"]).path))
            if path.exists():
                return path
    return None


def outcomes(events: Path) -> Iterator[tuple[str, str]]:
    """The name and outcome of everything that counts, from the events of one `bazel test`."""
    for line in events.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if "testResult" in event:
            label = event["id"]["testResult"]["label"]
            result = event["testResult"]
            report = report_of(result)
            found = list(cases(report)) if report else []
            yield from ((f"{label} {name}", outcome) for name, outcome in found)
            ran_well = result["status"] in ("PASSED", "FLAKY")
            if ran_well and not found:
                yield label, "passed"
            elif not ran_well and not any(outcome == "failed" for _, outcome in found):
                yield f"{label} ({result['status']})", "failed"  # it crashed or ran out of time
        elif "testSummary" in event and event["testSummary"].get("overallStatus") in _NOT_RUN:
            yield f"{event['id']['testSummary']['label']} (not run)", "failed"


def main(arguments: list[str]) -> int:
    events, status = Path(arguments[0]), int(arguments[1])
    found = list(outcomes(events))
    for other in arguments[2:]:
        name, _, its_status = other.rpartition("=")
        found.append((name, "failed" if int(its_status) else "passed"))
    counts = Counter(outcome for _, outcome in found)
    for name, outcome in found:
        if outcome == "failed":
            print(f"FAILED {name}")
    if status and not counts["failed"]:  # an error of the build, say
        print(f"FAILED bazel test (exit status {status})")
        counts["failed"] = 1
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 0 if counts["passed"] and not counts["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
