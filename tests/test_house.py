"""The rules of the house that no linter knows: every room is under contract, and no adapter comes alone."""

import re
import tomllib
from pathlib import Path

import pytest

import channels
import connector

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = PROJECT["tool"]["importlinter"]["root_packages"]
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "versions" not in path.parts]


def test_every_top_level_package_is_under_the_import_contract_and_in_the_wheel() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert packages == set(ROOMS)
    assert packages == set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


@pytest.mark.parametrize(("door", "kind"), [(door, kind) for door in (connector, channels) for kind in door.kinds()])
def test_no_adapter_comes_without_its_test_its_config_block_and_a_line_in_the_documentation(door, kind: str) -> None:  # type: ignore[no-untyped-def]
    room = door.__name__

    assert list((ROOT / "tests" / room).glob(f"test_{kind}*.py")), f"tests/{room}/test_{kind}.py is missing"
    assert f"[{kind}]" in (ROOT / "config.example.toml").read_text()
    words = "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    assert f"[{kind}]" in words, f"no page in docs/ speaks of [{kind}]"
    protected = [contract.get("protected_modules", []) for contract in PROJECT["tool"]["importlinter"]["contracts"]]
    assert any(f"{room}.{kind}" in modules for modules in protected), "an adapter is reached through its door only"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_opens_with_its_reason_to_exist(path: Path) -> None:
    text = path.read_text()
    if text.strip():
        assert text.lstrip().startswith('"""'), "write a first paragraph that a bookkeeper could follow"


def test_no_word_that_the_glossary_forbids_names_a_file_a_class_or_a_function() -> None:
    never = re.compile(
        r"\b(?:class|def) \w*(?:[Tt]enantRow|[Cc]ustomer|[Dd]unning|[Uu]tils?|[Hh]elper|[Mm]anager|[Ss]ervice)\w*"
    )
    ours = [path for path in SOURCES if path.relative_to(ROOT).parts[0] != "sandbox"]  # the world has words of its own
    found = [f"{path.relative_to(ROOT)}: {match[0]}" for path in ours for match in never.finditer(path.read_text())]
    names = [
        path.name
        for path in SOURCES
        if path.stem in ("utils", "helpers", "manager", "service", "base", "common", "core")
    ]

    assert found == []
    assert names == []


def test_nothing_is_left_for_later_and_no_path_of_a_machine_is_written_down() -> None:
    files = [
        *SOURCES,
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.toml"),
        *ROOT.glob("requirements/*"),
    ]
    later = re.compile(r"\b(TODO|FIXME|XXX)\b")
    folders = ["/home", "/Users", *([str(Path.home())] if len(Path.home().parts) > 1 else [])]
    machine = re.compile(rf"(?:{'|'.join(map(re.escape, folders))})/\w")
    for path in files:
        text = path.read_text()
        assert not later.search(text), path
        assert not machine.search(text), path


def test_the_locks_pin_by_hash_and_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text


def test_a_test_folder_never_shadows_a_room() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
