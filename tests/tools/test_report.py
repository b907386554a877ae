"""The count of test cases is that of the reports, and nothing that failed is lost from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import test_report

THREE_CASES = """<testsuites><testsuite>
<testcase name="good"/>
<testcase name="bad"><failure message="no"/></testcase>
<testcase name="left out"><skipped/></testcase>
</testsuite></testsuites>"""
ONE_CASE = '<testsuites><testsuite><testcase name="good"/></testsuite></testsuites>'


def result(label: str, status: str, report: Path | None = None) -> dict[str, Any]:
    outputs = [{"name": "test.log", "uri": "file:///nowhere"}]
    if report:
        outputs.append({"name": "test.xml", "uri": report.as_uri()})
    return {"id": {"testResult": {"label": label}}, "testResult": {"status": status, "testActionOutput": outputs}}


def summary(label: str, status: str) -> dict[str, Any]:
    return {"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}}


def last_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, events: list[dict[str, Any]], *arguments: str
) -> tuple[int, str]:
    file = tmp_path / "events"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    status = test_report.main([str(file), *arguments])
    return status, capsys.readouterr().out.splitlines()[-1]


@pytest.fixture
def three_cases(tmp_path: Path) -> Path:
    path = tmp_path / "three cases.xml"
    path.write_text(THREE_CASES)
    return path


@pytest.fixture
def one_case(tmp_path: Path) -> Path:
    path = tmp_path / "one.xml"
    path.write_text(ONE_CASE)
    return path


def test_cases_are_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, three_cases: Path, one_case: Path
) -> None:
    events = [result("//a", "FAILED", three_cases), result("//b", "PASSED", one_case)]
    assert last_line(capsys, tmp_path, events, "3") == (1, "2 passed, 1 failed, 1 skipped")


def test_all_passed(capsys: pytest.CaptureFixture[str], tmp_path: Path, one_case: Path) -> None:
    assert last_line(capsys, tmp_path, [result("//b", "PASSED", one_case)], "0") == (0, "1 passed, 0 failed")


def test_without_a_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    events = [result("//a", "PASSED"), result("//b", "TIMEOUT")]
    assert last_line(capsys, tmp_path, events, "3") == (1, "1 passed, 1 failed")


def test_crash_after_good_cases(capsys: pytest.CaptureFixture[str], tmp_path: Path, one_case: Path) -> None:
    assert last_line(capsys, tmp_path, [result("//b", "FAILED", one_case)], "3") == (1, "1 passed, 1 failed")


@pytest.mark.parametrize("status", ["NO_STATUS", "FAILED_TO_BUILD"])
def test_not_run(capsys: pytest.CaptureFixture[str], tmp_path: Path, one_case: Path, status: str) -> None:
    events = [result("//b", "PASSED", one_case), summary("//b", "PASSED"), summary("//c", status)]
    assert last_line(capsys, tmp_path, events, "1") == (1, "1 passed, 1 failed")


def test_failed_build_without_a_failed_test(capsys: pytest.CaptureFixture[str], tmp_path: Path, one_case: Path) -> None:
    assert last_line(capsys, tmp_path, [result("//b", "PASSED", one_case)], "1") == (1, "1 passed, 1 failed")


def test_nothing_ran(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert last_line(capsys, tmp_path, [], "0") == (1, "0 passed, 0 failed")


def test_other_programs(capsys: pytest.CaptureFixture[str], tmp_path: Path, one_case: Path) -> None:
    events = [result("//b", "PASSED", one_case)]
    assert last_line(capsys, tmp_path, events, "0", "//other=0", "//another=1") == (1, "2 passed, 1 failed")
