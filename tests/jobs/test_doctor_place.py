"""Mirrors jobs/doctor_place.py: room on the disk, and who may read the books and the keys."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.doctor import Verdict
from jobs.doctor_place import place


@pytest.fixture
def house(tmp_path: Path) -> tuple[Path, Path, Path]:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    keys, books = data / "secrets.key", data / "arrears.db"
    for file in (keys, books):
        file.write_text("x")
        file.chmod(0o600)
    return data, keys, books


def verdicts(house: tuple[Path, Path, Path]) -> dict[str, Verdict]:
    return {finding.about: finding.verdict for finding in place(*house)}


def test_a_house_in_order_is_said_to_be(house: tuple[Path, Path, Path]) -> None:
    told = verdicts(house)

    assert {told[about] for about in ("data", "keys", "database")} == {Verdict.OK}


@pytest.mark.parametrize(("free", "verdict"), [(4e8, Verdict.WRONG), (1e9, Verdict.LOOK), (9e9, Verdict.OK)])
def test_a_disk_that_fills_up_is_told_in_time(
    house: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, free: float, verdict: Verdict
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=int(free)))

    assert verdicts(house)["disk"] is verdict


def test_a_key_file_that_others_may_read_is_wrong_and_a_folder_that_they_may_enter_is_to_be_looked_at(
    house: tuple[Path, Path, Path],
) -> None:
    data, keys, books = house
    keys.chmod(0o640)
    data.chmod(0o755)
    told = {finding.about: finding for finding in place(data, keys, books)}

    assert (told["keys"].verdict, told["keys"].do) == (Verdict.WRONG, f"chmod 600 {keys}")
    assert (told["data"].verdict, told["data"].do) == (Verdict.LOOK, f"chmod 700 {data}")


def test_what_is_missing_is_wrong(house: tuple[Path, Path, Path]) -> None:
    data, keys, books = house
    keys.unlink()

    assert verdicts(house)["keys"] is Verdict.WRONG
    assert [finding.verdict for finding in place(data / "elsewhere", keys, books)] == [Verdict.WRONG]
