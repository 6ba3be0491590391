"""Files of the folder transport and of SQLite stores: for their user alone, and no way to the files of others."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from stamp.errors import DeliveryError
from stamp.runtime.topology import Topology
from stamp.runtime.transport import Parcel, Receiver
from stamp.runtime.transports.filesystem import Filesystem, files, place
from stamp.store.message import Message
from stamp.store.store import Store

TOPOLOGY = Topology.of("ticket", {"billing": ["Paid"]})
BILLING = TOPOLOGY.queues[0].name
BOX = f"waiting/{BILLING}.queue"


def message(number: int) -> Message:
    return Message("ticket", "1", "Paid", bytes([number]) * 16, f"body {number}".encode(), {})


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def receiver(spool: Path) -> Iterator[Receiver]:
    receiver = Filesystem(f"filesystem://{spool}").receiver(TOPOLOGY, [BILLING], prefetch=10)
    yield receiver
    receiver.close()


def send(spool: Path, *numbers: int) -> None:
    sender = Filesystem(f"filesystem://{spool}").sender(TOPOLOGY)
    sender.post([Parcel(message(number), (BILLING,)) for number in numbers])
    assert sender.confirm(5) == [None] * len(numbers)
    sender.close()


def modes(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): stat.S_IMODE(each.lstat().st_mode) for each in folder.rglob("*")}


@pytest.mark.parametrize("umask", ["0", "0o777", "0o022"])
def test_what_is_made_is_for_its_user_alone(umask, tmp_path):
    program = f"""
        import os, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_files as t
        spool = Path({str(tmp_path / "spool")!r})
        os.umask({umask})
        receiver = t.Filesystem(f"filesystem://{{spool}}").receiver(t.TOPOLOGY, [t.BILLING], prefetch=1)
        directory = t.Filesystem(f"filesystem://{{spool}}").directory("ticket")
        directory.write({{"key": "text"}})
        t.send(spool, 1, 2)
        assert receiver.receive(5)
        with t.Store.open({f"sqlite:///{tmp_path}/stamp.db"!r}) as store, store.begin(), store.read():
            print({{oct(mode) for name, mode in t.modes(spool).items() if not (spool / name).is_dir()}})
            print({{oct(mode) for name, mode in t.modes(spool).items() if (spool / name).is_dir()}}, oct(spool.stat().st_mode & 0o777))
            print(sorted((each.name, oct(each.stat().st_mode & 0o777)) for each in spool.parent.glob("stamp.db*")))
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "{'0o600'}",
        "{'0o700'} 0o700",
        "[('stamp.db', '0o600'), ('stamp.db-shm', '0o600'), ('stamp.db-wal', '0o600')]",
    ]


def test_what_is_there_stays_as_it_is(tmp_path):
    (tmp_path / "spool").mkdir(mode=0o750)
    (tmp_path / "stamp.db").touch(mode=0o640)
    (tmp_path / "link").symlink_to("spool")
    Filesystem(f"filesystem://{tmp_path}/link").sender(TOPOLOGY).close()
    Store.open(f"sqlite:///{tmp_path}/stamp.db").close()
    assert modes(tmp_path)["spool"] == 0o750
    assert modes(tmp_path)["stamp.db"] == 0o640
    assert (tmp_path / "spool/waiting").is_dir()


def put_link(place: Path) -> None:
    place.symlink_to("/proc/self/environ")


def put_link_to_nothing(place: Path) -> None:
    place.symlink_to("/nowhere")


def put_link_to_a_folder(place: Path) -> None:
    place.symlink_to("/proc/self")


def put_hard_link(place: Path) -> None:
    secret = place.parents[2] / "secret"
    secret.write_text("secret")
    place.hardlink_to(secret)
    place.parent.chmod(0o770)  # others may have done that


def put_pipe(place: Path) -> None:
    os.mkfifo(place)


def put_folder(place: Path) -> None:
    place.mkdir()
    (place / "x").touch()


@pytest.mark.parametrize(
    "put", [put_link, put_link_to_nothing, put_link_to_a_folder, put_hard_link, put_pipe, put_folder]
)
def test_what_is_no_file_among_messages_is_passed_over(put, receiver, spool, caplog):
    put(spool / BOX / "00000000000000000000-x.0")
    send(spool, 1, 2)
    got = []
    while len(got) < 2:
        got += receiver.receive(5)
    assert [each.body for each in got] == [b"body 1", b"body 2"]
    assert receiver.receive(0.05) == []
    receiver.acknowledge(got)
    said = [each.message for each in caplog.records if "passed over" in each.message]
    assert len(said) == 1
    transport = Filesystem(f"filesystem://{spool}")
    receiver.close()
    assert transport.remove(TOPOLOGY, BILLING, discard=True) == 0
    assert Path("/proc/self/environ").exists()


def test_messages_that_have_another_name_in_a_backup_come(receiver, spool):
    send(spool, 1, 2)
    for each in (spool / BOX).iterdir():
        (spool.parent / each.name).hardlink_to(each)
    got = []
    while len(got) < 2:
        got += receiver.receive(5)
    assert [each.body for each in got] == [b"body 1", b"body 2"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
def test_a_second_name_of_a_file_that_is_not_of_the_owner_of_the_queue_is_passed_over(receiver, spool, tmp_path):
    os.chown(spool / BOX, 65_534, -1)
    (tmp_path / "secret").touch()
    (spool / BOX / "00000000000000000000-x.0").hardlink_to(tmp_path / "secret")
    send(spool, 1)
    assert [each.body for each in receiver.receive(5)] == [b"body 1"]


def test_what_is_passed_over_costs_little_where_nothing_comes_or_goes(receiver, spool, caplog, monkeypatch):
    monkeypatch.setattr(place, "TOLD", 20)
    for number in range(30):
        (spool / BOX / f"{number}.0").symlink_to("/nowhere")
    looked = []
    monkeypatch.setattr(place, "size", lambda path: looked.append(path) or files.size(path))
    assert receiver.receive(0.2) == []
    assert len(looked) < 300
    said = [each.message for each in caplog.records if "passed over" in each.message]
    assert len(said) == 20
    assert said[-1].endswith("nothing is said")
    send(spool, 1)
    assert [each.body for each in receiver.receive(5)] == [b"body 1"]


@pytest.mark.parametrize("put", [put_link, put_link_to_a_folder, put_pipe, put_folder])
def test_what_is_no_file_of_a_dead_consumer_is_left_there(put, spool):
    send(spool, 1)
    dead = spool / "taken/dead.holder" / f"{BILLING}.queue"
    dead.mkdir(parents=True)
    (dead.parent / "lock").touch()
    put(dead / "0-x.0")
    (spool / "taken/link.holder").symlink_to("/proc/self")
    receiver = Filesystem(f"filesystem://{spool}").receiver(TOPOLOGY, [BILLING], prefetch=10)
    assert [each.body for each in receiver.receive(5)] == [b"body 1"]
    receiver.close()
    assert os.path.lexists(dead / "0-x.0")


@pytest.mark.parametrize("name", ["waiting", "taken", "tmp", BOX])
def test_a_folder_that_is_a_link_is_refused(name, spool, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (spool / name).parent.mkdir(parents=True)
    (spool / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeliveryError, match="expected a folder, got a symbolic link"):
        Filesystem(f"filesystem://{spool}").receiver(TOPOLOGY, [BILLING], prefetch=10)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_queue_that_becomes_a_link_is_refused(receiver, spool, tmp_path):
    (spool / BOX).rename(tmp_path / "elsewhere")
    (spool / BOX).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeliveryError, match=r"symbolic link|was removed"):
        receiver.receive(1)


def test_documents_that_are_links_are_passed_over(spool):
    directory = Filesystem(f"filesystem://{spool}").directory("ticket")
    directory.write({"key": "text"})
    (folder,) = (spool / "documents").iterdir()
    (one,) = folder.iterdir()
    (folder / f"{'0' * 32}{one.name[32:]}").symlink_to("/proc/self/environ")
    assert directory.read() == {"key": "text"}
    directory.close()
