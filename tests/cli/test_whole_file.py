"""A file is there in whole or not at all."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from stamp.cli.whole_file import WholeFile
from stamp.errors import InputError


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_gets_its_name_when_it_is_complete(tmp_path):
    with WholeFile(tmp_path / "out") as file:
        file.stream.write(b"new")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out").read_bytes() == b"new"
    assert names(tmp_path) == ["out"]


def test_a_failure_leaves_all_as_it_was(tmp_path):
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), WholeFile(tmp_path / "out") as file:
        file.stream.writelines(b"new" * (1 // (2 - number)) for number in range(3))
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_what_is_not_begun_is_not_there(tmp_path):
    with WholeFile(tmp_path / "out") as file:
        assert not file.is_begun
    assert names(tmp_path) == []


def test_a_file_may_be_empty(tmp_path):
    with WholeFile(tmp_path / "out") as file:
        assert file.stream.writable()
    assert (tmp_path / "out").read_bytes() == b""


def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    with WholeFile(tmp_path / "link") as file:
        file.stream.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with WholeFile(pipe) as file:
        file.stream.write(b"new")
    reader.join(5)
    assert got == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="expected a file that can be written: No such file"):
        _ = WholeFile(tmp_path / "no" / "out").stream
