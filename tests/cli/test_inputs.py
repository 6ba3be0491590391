"""Whatever stands on a command line, in the environment, in the settings or in the name of a folder: an answer, or an error that teaches."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from stamp.cli.main import COMMANDS, cli
from stamp.errors import InputError
from stamp.runtime.policy import SPANS, Policy
from stamp.runtime.retry import Retry

EXAMPLE = Path(__file__).parents[2] / "schemas"
FORMATS = ["text", "json", "sarif", "github", "gitlab", "junit", "markdown"]

NUMBERS = [
    "0",
    "-1",
    "inf",
    "-inf",
    "nan",
    "1e300",
    "1e-300",
    "",
    "x",
    "9" * 5_000,
    "1_0",
    "0x10",
    "\u0663",
    "1e5",
    "1e5000",
]
HOSTILE_TOML = {
    "nested arrays": "lease = " + "[" * 5_000 + "]" * 5_000,
    "nested tables": "lease = " + "{a=" * 5_000 + "1" + "}" * 5_000,
    "dotted": "a." * 5_000 + "b = 1",
    "digits": "lease = " + "9" * 5_000,
    "hexadecimal digits": "lease = 0x" + "f" * 5_000,
    "hexadecimal digits of a folder": "schemas = 0x" + "f" * 5_000,
    "hexadecimal digits of an acceptance": "[[accept]]\nrule = 0x" + "f" * 5_000,
    "hexadecimal digits of acceptances": "accept = 0x" + "f" * 5_000,
    "digits that fit": "lease = " + "9" * 4_000,
    "whole digits that fit": "concurrency = " + "9" * 4_000,
    "infinity": "lease = inf",
    "no number": "lease = nan",
    "float": "prefetch = 1.5",
    "truth": "attempts = true",
    "date": "broker = 2030-01-01",
    "list": 'store = ["postgresql://u:secret@h/d"]',
    "nothing": 'store = ""',
    "no URL": 'broker = "redis://u:s3/cret@h"',
    "bytes": "lease = \udcff",
    "NUL": 'schemas = "\\u0000"',
    "surrogate": 'schemas = "\\ud800"',
    "long key": "k" * 100_000 + " = 1",
    "large": "# " + "x" * 2**21,
}


def answered(arguments, **env) -> str:
    """Return what a command says; an exception that is no refusal fails the test."""
    done = CliRunner().invoke(cli, arguments, env=env)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in {0, 1, 2}
    assert len(done.output) < 300_000
    return done.output


RUN = [
    "run",
    "examples.ticket:ticket",
    "--store",
    "none",
]  # without a broker it refuses at once, when the numbers are right


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: ascii(text[:9]))
@pytest.mark.parametrize("name", ["concurrency", "prefetch", "attempts", "lease", "schema-patience", "patience"])
def test_any_number_is_taken_or_refused(name, number, tmp_path, monkeypatch):
    answered([*RUN, f"--{name}={number}"])
    answered(RUN, **{f"STAMP_{name.upper().replace('-', '_')}": number})


@pytest.mark.parametrize("text", HOSTILE_TOML.values(), ids=HOSTILE_TOML)
@pytest.mark.parametrize("file", ["stamp.toml", "pyproject.toml"])
def test_any_settings_are_taken_or_refused(file, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("STAMP_SCHEMAS", "STAMP_BROKER", "STAMP_STORE"):
        monkeypatch.delenv(name, raising=False)
    head = "[tool.stamp]\n" if file == "pyproject.toml" else ""
    text = text.replace("[[accept]]", "[[tool.stamp.accept]]") if head else text
    Path(file).write_bytes(f"{head}{text}\n".encode(errors="surrogateescape"))
    for arguments in (RUN, ["check"], ["doctor"], ["start", "examples.ticket:ticket", "--broker", "none"]):
        said = answered(arguments)
        assert len(said) < 3_000
        assert "secret" not in said
        assert "cret" not in said


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_refused(content):
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("stamp.toml").write_bytes(content)
        answered(["check"])


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "name", [b"\xff\xfe", "\u202ex\n::y".encode(), b"\xed\xa0\x80", "日本 %2F#?".encode()], ids=repr
)
def test_a_folder_may_have_any_name(name, format_, tmp_path):
    folder = tmp_path / os.fsdecode(name)
    shutil.copytree(EXAMPLE, folder)
    steps = list(folder.glob("*/*/step.json"))
    said = json.loads(steps[0].read_text())
    steps[0].write_text(json.dumps({**said, "on": ["Nowhere"]}))
    text = answered(["check", str(folder), "--format", format_])
    assert text
    if format_ in {"json", "sarif", "gitlab"}:
        json.loads(text)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\n::y"], ids=repr)
@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "{}"],
        ["plan", "{}", "--format", "json"],
        ["plan", "{}", "--format", "markdown"],
        ["check", "{}", "--against", "{}"],
        ["graph", "{}"],
        ["graph", "{}", "--format", "json"],
        ["graph", "{}", "--format", "svg"],
        ["graph", "{}", "--format", "mermaid"],
        ["graph", "{}", "--format", "dot"],
        ["decode", "{}/none"],
        ["decode", "{}"],
        ["export", "examples.ticket:ticket", "--out", "{}"],
        ["doctor", "--store", "sqlite:///{}/stamp.db"],
        ["doctor", "--broker", "filesystem://{}/spool", "--store", "none"],
        ["dlq", "list", "--store", "sqlite:///{}/stamp.db"],
        ["dlq", "list", "--broker", "filesystem://{}/spool"],
        ["contracts", "list", "--store", "sqlite:///{}/stamp.db"],
        ["play", "examples.ticket:ticket", "{}"],
        ["explain", "{}"],
    ],
    ids=" ".join,
)
def test_other_commands_take_any_name(arguments, name, tmp_path):
    folder = tmp_path / os.fsdecode(name)
    shutil.copytree(EXAMPLE, folder)
    answered([each.replace("{}", str(folder)) for each in arguments])


def numeric():
    context = click.Context(cli)

    def of(command, path):
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from of(found, [*path, name])
            return
        for each in command.params:
            if isinstance(each.type, click.types.IntParamType | click.types.FloatParamType) and each.opts[0].startswith(
                "-"
            ):
                yield [*path, each.opts[0]]

    return [each for name in COMMANDS for each in of(cli.get_command(context, name), [name])]


@pytest.mark.parametrize("option", numeric(), ids=" ".join)
def test_every_option_that_is_a_number_refuses_what_is_none(option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    *command, name = option
    for number in ("nan", "x", "9" * 5_000):
        assert "Usage" in answered([*command, name, number]) or number == "nan"


@pytest.mark.parametrize(
    "value", [0, -1, float("inf"), float("nan"), 1e300, 10**400, True, "1", None, [], 2**70], ids=repr
)
@pytest.mark.parametrize("name", SPANS)
def test_a_policy_refuses_what_is_out_of_bounds(name, value):
    if name == "patience" and value is None:
        return
    with pytest.raises(InputError, match=f"{name}: expected a"):
        Policy(**{name: value})


@pytest.mark.parametrize("name", ["attempts", "first", "longest", "deaths"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), 1e300, True, "1", None])
def test_a_retry_refuses_what_is_out_of_bounds(name, value):
    with pytest.raises(InputError, match="retry"):
        Retry(**{name: value})
