"""In a job of GitHub Actions no output of ours is taken for a workflow command, but for those that we mean."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from stamp.cli import job_log
from stamp.cli.job_log import exact_output, guarded, issue
from stamp.cli.main import cli
from stamp.errors import InputError

BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
CHUNK = st.text(f":#[x \t\ufeff\u3000{BREAKS}", max_size=8)


def is_command(line: str) -> bool:
    return line.lstrip("\ufeff \t\u3000\x1f").strip().startswith("::") or "##[" in line


def put(text: str) -> None:
    sys.stdout.write(text)


def written(monkeypatch, chunks, write) -> str:
    raw = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8", newline="\n"))
        patch.setenv("GITHUB_ACTIONS", "true")
        with guarded():
            for chunk in chunks:
                write(chunk)
        sys.stdout.flush()
        return raw.getvalue().decode()


@given(st.lists(CHUNK, max_size=6), st.booleans())
@example(["\n:", ":x"], True)
@example(["##", "#", "["], False)
@example(["\n \u3000", "\ufeff::x"], False)
def test_no_line_is_a_command_however_it_is_written(chunks, as_bytes):
    write = (lambda text: sys.stdout.buffer.write(text.encode())) if as_bytes else put
    text = written(pytest.MonkeyPatch(), chunks, write)
    assert not [line for line in text.splitlines() if is_command(line)]
    assert text.replace("\\u003a", ":").replace("\\u005b", "[") == "".join(chunks)


@pytest.mark.parametrize("end", ["", "x", ":", "::x"])
@pytest.mark.parametrize("part", ["\n", "\r\n", " \n", "\u2028", "\x85 ", "\n:", "#", "##[", "\n\u3000"], ids=ascii)
def test_the_time_grows_with_the_text_and_no_faster(monkeypatch, part, end):
    text = part * 20_000 + end
    since = process_time()
    safe = written(monkeypatch, [text], put)
    assert process_time() - since < 2  # some 0.02; in quadratic time a minute or more
    assert safe.replace("\\u003a", ":").replace("\\u005b", "[") == text


def test_what_is_meant_is_a_command_and_what_follows_is_none(monkeypatch):
    text = written(
        monkeypatch, ["a\n", "::b\n"], lambda text: issue(text[:-1]) if text == "a\n" else sys.stdout.write(text)
    )
    assert text == "a\n:\\u003ab\n"
    text = written(monkeypatch, ["::a::b", "::c"], lambda text: issue(text) if "a" in text else sys.stdout.write(text))
    assert text == "::a::b\n:\\u003ac"


def test_json_says_the_same(monkeypatch):
    value = {"::a": "##[add-mask]x"}
    text = written(monkeypatch, [json.dumps(value)], put)
    assert "##[" not in text
    assert json.loads(text) == value


def test_bytes_of_others_go_into_a_file_or_nowhere(monkeypatch, tmp_path):
    def write(_):
        with pytest.raises(InputError, match="> FILE"):
            exact_output()

    written(monkeypatch, ["x"], write)
    with (tmp_path / "letter").open("w", encoding="utf-8") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        patch.setenv("GITHUB_ACTIONS", "true")
        with guarded():
            exact_output().write(b"::x")
    assert (tmp_path / "letter").read_bytes() == b"::x"


def test_elsewhere_nothing_is_changed(monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    before = sys.stdout, sys.stderr
    with guarded():
        assert (sys.stdout, sys.stderr) == before
    assert not job_log.may_run_commands()


HOSTILE = "::error file=x::y"
COMMANDS = [
    [HOSTILE],
    [f"--{HOSTILE}"],
    ["check", HOSTILE],
    ["check", "--against", f"\n{HOSTILE}", "."],
    ["check", "--format", "github", f"\n{HOSTILE}"],
    ["check", f"--no\n{HOSTILE}"],
    ["decode", f"\n{HOSTILE}"],
    ["explain", f"\n{HOSTILE}"],
    ["graph", f"##[add-mask]{HOSTILE}"],
    ["export", f"x\n{HOSTILE}:y"],
    ["dlq", "list", "--store", f"sqlite:///\n{HOSTILE}.db"],
    ["doctor", "--store", f"sqlite:///{HOSTILE}/##[error].db"],
    ["run", f"x:{HOSTILE}", "--log-level", f"\n{HOSTILE}"],
    ["play", "x:y", f"\n{HOSTILE}"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: ascii(" ".join(arguments)))
def test_no_command_prints_commands_of_others(arguments, tmp_path, monkeypatch):
    (tmp_path / HOSTILE).mkdir()
    (tmp_path / HOSTILE / "step.json").write_text("::error::")
    (tmp_path / "::bad").write_text("::error::")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, arguments, env={"GITHUB_ACTIONS": "true"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert done.exit_code in {0, 1, 2}
    assert not [line for line in (done.stdout + "\n" + done.stderr).splitlines() if is_command(line)]


def test_a_bug_of_ours_is_no_command_either(monkeypatch):
    program = "from stamp.cli.main import main\ndef run(): raise RuntimeError('\\n::error::x')\nmain(run)"
    env = {**os.environ, "GITHUB_ACTIONS": "true"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert ":\\u003aerror::x" in done.stderr
    assert not [line for line in done.stderr.splitlines() if is_command(line)]


def test_nobody_who_reads_is_no_error(tmp_path):
    env = {**os.environ, "GITHUB_ACTIONS": "true"}
    stamp = Path(sys.executable).with_name("stamp")
    done = subprocess.run(
        ["bash", "-c", f"{stamp} rules | head -c 1; exit ${{PIPESTATUS[0]}}"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
