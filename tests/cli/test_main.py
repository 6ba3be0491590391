"""The command as a whole: help, exit statuses, and what becomes of errors."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import stamp as package
from stamp.cli.main import COMMANDS, Commands, cli, main
from stamp.errors import InputError

STAMP = Path(sysconfig.get_path("scripts")) / "stamp"
SLOW = {"fastavro", "kombu", "pydantic", "rich"}


def installed(*arguments: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run([STAMP, *map(str, arguments)], capture_output=True, check=False, **options)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_imports_nothing_that_is_slow(arguments):
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        f"sys.argv = ['stamp', *{arguments!r}]\n"
        "from stamp.cli.main import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert SLOW.isdisjoint(done.stderr.split())
    assert "click" in done.stderr.split()


def test_help_lists_every_command(stamp):
    text = stamp("--help").output
    for name, what_it_does in COMMANDS.items():
        assert name in text
        assert what_it_does in text


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name):
    command = Commands().get_command(click.Context(cli), name)
    assert command.short_help == COMMANDS[name]
    assert "Exit status: 1" in command.help or name in {"demo", "explain", "export", "graph", "rules", "run"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--version"], 0, f"stamp {package.__version__}"),
        (["--help"], 0, "Usage:"),
        (["decode", "--help"], 0, "container file"),
        ([], 2, "Usage:"),
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["decode"], 2, "Missing argument 'FILE'"),
        (["decode", "no such file"], 2, "does not exist"),
        (["decode", "--format", "xml", "-"], 2, "'xml'"),
        (["play", "examples.ticket:ticket", "--out", "x"], 2, "Missing option '--input'"),
        (["play", "examples.ticket:ticket", "--input", "-"], 2, "Missing option '--out'"),
        (["export"], 2, "Missing argument"),
        (["demo", "--tickets", "0"], 2, "0 is not in the range"),
    ],
)
def test_usage(stamp, arguments, status, said):
    done = stamp(*arguments)
    assert done.exit_code == status
    assert said in done.output


def failing(error):
    """A command line whose one command raises `error`."""

    class Failing(Commands):
        def get_command(self, ctx, cmd_name):
            @click.command
            def command():
                raise error

            return command

    return Failing("stamp")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("expected tea", file="cup", line=3), 2, "Error: cup:3: expected tea\n"),
        (InputError("a\x1b[31mb\nc"), 2, "Error: a\\x1b[31mb\\nc\n"),
        (OSError(28, "No space left on device", "out.avro"), 2, "Error: out.avro: No space left on device\n"),
        (OSError("odd"), 2, "Error: odd\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_a_person_can_mend_is_one_message_on_stderr(error, status, said):
    done = CliRunner().invoke(failing(error), ["x"])
    assert (done.exit_code, done.stderr, done.stdout) == (status, said, "")


def test_a_bug_has_a_traceback_and_does_not_look_like_a_finding(capsys):
    def bug():
        raise ZeroDivisionError

    with pytest.raises(SystemExit) as ended:
        main(bug)
    assert ended.value.code == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_goes_away_is_met_with_silence(kept, form):
    command = f'"{STAMP}" decode "{kept}/events.avro" --schemas "{kept}/schemas" --format {form} | head -c 1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.parametrize("arguments", [["export", "examples.ticket:ticket", "--check"], ["decode", "--help"], ["demo"]])
def test_nobody_who_reads_is_met_with_silence(root, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([STAMP, *arguments], stdout=writing, stderr=subprocess.PIPE, cwd=root, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_letters_is_no_error(few, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    for form in ("text", "json"):
        arguments = ["decode", few / "events.avro", "--schemas", few / "schemas", "--format", form]
        done = installed(*arguments, env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
    assert "陈美玲".encode() in done.stdout  # JSON is UTF-8 wherever it goes


def test_what_is_no_terminal_gets_no_control_codes(few, tmp_path):
    plain = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "TTY_COMPATIBLE"}}
    for arguments in (["demo", "--tickets", 3], ["decode", few / "events.avro", "--schemas", few / "schemas"]):
        done = installed(*arguments, env=plain, cwd=tmp_path)
        assert done.returncode == 0
        assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(("variable", "has_colours"), [("NO_COLOR", False), ("TERM", True)])
def test_no_color_is_respected(variable, has_colours):
    environment = (
        os.environ
        | {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
        | ({"NO_COLOR": "1"} if variable == "NO_COLOR" else {})
    )
    done = installed("demo", "--tickets", 3, env=environment)
    assert (b"\x1b[32m" in done.stdout) is has_colours


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_streams_that_were_closed_before_cause_no_traceback(closed):
    done = subprocess.run(f"'{STAMP}' decode - {closed} <&-", shell=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
