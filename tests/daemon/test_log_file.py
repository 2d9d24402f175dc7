"""Mirrors daemon/log_file.py and jobs/kept_log.py: the newest lines are kept, and never more than two files of them."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import log_file
from daemon.log_file import LogFile
from jobs.kept_log import newest_lines, older


def test_a_line_goes_to_standard_error_and_into_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "arrears.log"
    print("event='serving'", file=LogFile(path))
    LogFile(path).keep("from elsewhere\n")

    assert capsys.readouterr().err == "event='serving'\n"
    assert newest_lines(path, 10) == ["event='serving'", "from elsewhere"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.integers(0, 60), st.integers(1, 20))
def test_the_newest_lines_are_never_lost_and_the_files_never_grow_without_end(
    tmp_path_factory: pytest.TempPathFactory, written: int, asked: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "arrears.log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "FULL", 100)
        for number in range(written):
            LogFile(path).keep(f"line {number}\n")

    assert newest_lines(path, min(asked, 10)) == [f"line {number}" for number in range(written)][-min(asked, 10) :]
    assert sum(file.stat().st_size for file in (path, older(path)) if file.exists()) < 250


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LogFile(tmp_path / "not there" / "arrears.log").write("event='serving'\n")

    assert capsys.readouterr().err == "event='serving'\n"
    assert newest_lines(tmp_path / "not there" / "arrears.log", 5) == [] == newest_lines(None, 5)
