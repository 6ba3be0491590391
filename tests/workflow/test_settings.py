"""Where contracts are looked for when nobody says it in code."""

from __future__ import annotations

from pathlib import Path

import pytest

from stamp import Workflow
from stamp.errors import InputError
from stamp.workflow.settings import settings


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STAMP_SCHEMAS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pyproject.toml"


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        (None, "schemas"),
        ("", "schemas"),
        ("[tool.other]\nschemas = 'other'", "schemas"),
        ("[tool.stamp]", "schemas"),
        ("[tool.stamp]\nschemas = 'contracts'", "contracts"),
        ("[tool.stamp]\nschemas = '../contracts/ü'", "../contracts/ü"),
    ],
)
def test_the_project_file_says_where(project: Path, text: str | None, folder: str) -> None:
    if text is not None:
        project.write_text(text, encoding="utf-8")

    assert Workflow("ticket").contracts_folder == Path(folder)


def test_the_environment_goes_before_the_project_file_and_code_before_both(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_text("[tool.stamp]\nschemas = 'contracts'")
    monkeypatch.setenv("STAMP_SCHEMAS", "/elsewhere")

    assert Workflow("ticket").contracts_folder == Path("/elsewhere")
    assert Workflow("ticket", contracts="mine").contracts_folder == Path("mine")
    monkeypatch.setenv("STAMP_SCHEMAS", "")
    assert Workflow("ticket").contracts_folder == Path("contracts")


def test_a_file_of_its_own_goes_before_the_project_file(project: Path) -> None:
    own = project.with_name("stamp.toml")
    own.write_text("schemas = 'mine'")
    assert Workflow("ticket").contracts_folder == Path("mine")
    project.write_text("[tool.stamp]\nschemas = 'contracts'")
    assert Workflow("ticket").contracts_folder == Path("mine")
    own.write_text("")
    assert Workflow("ticket").contracts_folder == Path("contracts")
    own.write_text("schemas = []")
    with pytest.raises(
        InputError, match=r"^stamp\.toml: schemas: expected the path of the contracts folder, got \[\]$"
    ):
        _ = Workflow("ticket").contracts_folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.stamp", r"^pyproject\.toml: expected a TOML file, got one that is not: "),
        ("# \udcff", r"^pyproject\.toml: expected a TOML file, got one that is not: "),
        ("tool = 3", r"^pyproject\.toml: tool: expected a table, got 3$"),
        ("[tool]\nstamp = 'schemas'", r"^pyproject\.toml: stamp: expected a table, got 'schemas'$"),
        ("[tool.stamp]\nschemas = 3", r"tool\.stamp\.schemas: expected the path of the contracts folder, got 3$"),
        ("[tool.stamp]\nschemas = ''", r"expected the path of the contracts folder, got ''$"),
    ],
)
def test_a_project_file_that_says_something_else_is_an_error(project: Path, text: str, message: str) -> None:
    project.write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(InputError, match=message):
        _ = Workflow("ticket").contracts_folder


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, two below the folder of a project."""
    folder = tmp_path / "services" / "ticket"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("STAMP_SCHEMAS", raising=False)
    return folder


@pytest.mark.parametrize("git", ["folder", "file"])
def test_settings_are_found_upward_and_their_folder_is_seen_from_them(git: str, below: Path) -> None:
    top = below.parent.parent
    (top / ".git").mkdir() if git == "folder" else (top / ".git").write_text("gitdir: elsewhere\n")
    (top / "stamp.toml").write_text('schemas = "contracts"\n')
    (below / "pyproject.toml").write_text('[project]\nname = "ticket"\n')
    assert [each.file for each in settings()] == [Path("../../stamp.toml")]
    assert Workflow("ticket").contracts_folder == Path("../../contracts")


def test_the_nearest_settings_are_taken(below: Path) -> None:
    (below.parent.parent / ".git").mkdir()
    (below.parent.parent / "stamp.toml").write_text('schemas = "far"\n')
    (below.parent / "pyproject.toml").write_text('[tool.stamp]\nschemas = "near"\n')
    assert Workflow("ticket").contracts_folder == Path("../near")


@pytest.mark.parametrize("top", [".", None])
def test_settings_above_the_repository_or_without_one_are_not_looked_for(top: str | None, below: Path) -> None:
    if top is not None:
        (below / top / ".git").mkdir()
    (below.parent / "stamp.toml").write_text('schemas = "far"\n')
    assert settings() == ()
    assert Workflow("ticket").contracts_folder == Path("schemas")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "stamp.toml",
            "schema = 'x'",
            "got 'schema': did you mean schemas?",
        ),
        ("stamp.toml", "[[accepted]]", "got 'accepted': did you mean accept?"),
        ("stamp.toml", "xyzzy = 1", "got 'xyzzy'"),
        ("stamp.toml", "[tool.stamp]", "got 'tool': stamp.toml has no [tool.stamp], its keys stand at the top"),
        ("pyproject.toml", "[tool.stamp]\nbrokr = ''", "got 'brokr': did you mean tool.stamp.broker?"),
    ],
)
def test_a_key_that_is_none_is_refused(file: str, text: str, message: str, project: Path) -> None:
    project.with_name(file).write_text(text)
    with pytest.raises(InputError) as error:
        settings()
    assert str(error.value).startswith(f"{file}: ")
    assert str(error.value).endswith(message)


def test_known_keys_are_accepted(project: Path) -> None:
    project.with_name("stamp.toml").write_text(
        "schemas = 's'\naccept = []\nbroker = 'memory://'\nstore = 'sqlite://'\n"
    )
    assert len(settings()) == 1
