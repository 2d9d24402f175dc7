"""Mirrors daemon/config.py: one file, checked whole, with sentences."""

import tomllib
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

import channels
import connector
from daemon.config import Config, ConfigProblem, read_config
from daemon.founding import example
from daemon.wiring import open_office


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1\n", "[server] has no setting 'prot'. The nearest one is 'port'"),
        ("[sevrer]\nport = 1\n", "the file has no setting 'sevrer'. The nearest one is 'server'"),
        (
            '[xero]\nclient_id = "a"\nnote_lenght = 3\n',
            "[xero] has no setting 'note_lenght'. The nearest one is 'note_length'",
        ),
        ('[server]\nport = "many"\n', "the setting 'server.port' cannot be 'many'"),
        ("[server\n", "is not valid TOML"),
        ("[email_smtp]\nport = 25\n", "[email_smtp] needs the setting 'host'"),
    ],
)
def test_a_mistake_is_named_with_the_nearest_right_word(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigProblem) as problem:
        read_config(written(tmp_path, text))

    assert sentence in str(problem.value)


@pytest.mark.parametrize("setting", ["auth_token", "api_secret", "webhook_key"])
def test_a_secret_is_not_repeated_where_it_cannot_be_what_is_written(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigProblem) as problem:
        read_config(written(tmp_path, f"[sms_twilio]\n{setting} = 4711\n"))

    assert f"'sms_twilio.{setting}' cannot be what is written there" in str(problem.value)
    assert "4711" not in str(problem.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="Make one with: arrears init"):
        read_config(tmp_path / "config.toml")


def test_the_environment_goes_before_the_file_so_that_secrets_need_not_be_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARREARS_XERO__CLIENT_SECRET", "from the environment")
    config = read_config(written(tmp_path, '[xero]\nclient_id = "a"\nclient_secret = "from the file"\n'))

    assert config.adapter("xero") == {"client_id": "a", "client_secret": "from the environment"}


def test_a_wrong_value_of_an_adapter_is_a_sentence_when_the_office_opens(tmp_path: Path) -> None:
    config = read_config(
        written(tmp_path, '[email_smtp]\nhost = "x"\nfrom_address = "a@b.example"\nsecurity = "ssl"\n')
    )

    with pytest.raises(ConfigProblem, match="'ssl' is not a way to secure a connection"):
        open_office(config)


def test_the_data_folder_is_beside_the_configuration(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "")).store.data == tmp_path / "data"


def test_the_example_is_a_valid_configuration_and_names_every_setting_with_its_default(tmp_path: Path) -> None:
    uncommented = "\n".join(
        line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line
        for line in example().splitlines()
    )
    named = tomllib.loads(uncommented)
    read_config(written(tmp_path, example()))

    for block in ("server", "store", "schedule"):
        model = Config.model_fields[block].annotation
        assert named[block] == model().model_dump(mode="json")  # type: ignore[misc, union-attr]
    for door in (connector, channels):
        for kind in door.kinds():
            known = {field.name: field.default for field in fields(door.settings_of(kind))}
            assert set(named[kind]) == set(known)
            for name, default in known.items():
                usual = list(default) if isinstance(default, tuple) else default
                assert usual is MISSING or named[kind][name] == usual, f"{kind}.{name}"
