"""Documents that services leave for each other at a broker: what every transport must do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from stamp.errors import DeliveryError
from stamp.runtime.transport import Directory

from .stage import PATIENCE, bodies, take

SMALL = {
    "contract/alpha": '{"on": ["Ordered"]}',
    "listener/beta": '["Ordered", "Paid"]',
    f"schema/{'0f' * 16}": '"int"',
}


# What is written and read


def test_a_new_directory_is_empty(stage):
    directory = stage.directory()
    assert directory.read() == {}
    assert directory.version() == directory.version()


def test_what_is_written_is_there_for_whoever_was_connected_before_or_connects_later(stage):
    before = stage.directory()
    writer = stage.directory()
    writer.write(SMALL)
    assert [each.read() for each in (before, writer, stage.directory())] == [SMALL] * 3


def test_a_document_takes_the_place_of_the_earlier_one_and_the_others_stay(stage):
    directory, reader = stage.directory(), stage.directory()
    directory.write(SMALL)
    for text in ("{}", '{"on": []}', ""):
        directory.write({"contract/alpha": text})
        assert reader.read() == SMALL | {"contract/alpha": text}


def test_nothing_to_write_is_no_error(stage):
    directory = stage.directory()
    directory.write({})
    assert directory.read() == {}


TEXTS = {
    "empty": "",
    "unicode": '"日本語 \N{SNAKE} Ünïcødé \u2028"',
    "lines": '{\r\n\t"a": "\\u0000"\n}\n',
    "quotes": "\"'\\ %s %(a)s {a} :a $1 ; -- /*",
    "large": f'"{"0123456789abcdef" * 12_800}"',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_document_is_read_as_it_was_written(stage, text):
    stage.directory().write({"contract/alpha": text})
    assert stage.directory().read() == {"contract/alpha": text}


def test_keys_are_apart_whatever_stands_in_them(stage):
    keys = ["listener/A", "listener/a", "listener/a-b", "listener/a_b", "listener/a%b", "listener", "a.b", "..", "A"]
    documents = {key: key for key in keys}
    stage.directory().write(documents)
    assert stage.directory().read() == documents


def test_there_is_room_for_five_hundred_documents(stage):
    documents = {f"schema/{number:032x}": f'"{number}"' * 100 for number in range(500)}
    stage.directory().write(documents)
    assert stage.directory().read() == documents


# Versions


def test_every_write_is_another_version_for_everybody(stage):
    writer, reader = stage.directory(), stage.directory()
    seen = [reader.version()]
    for number in range(10):
        writer.write({"contract/alpha": str(number % 2)})
        seen.append(reader.version())
    assert len(set(seen)) == 11
    assert stage.directory().version() == seen[-1]


@pytest.mark.slow_on("kafka")
def test_without_a_write_the_version_stays_whatever_else_happens(stage):
    directory = stage.directory()
    directory.write(SMALL)
    version = directory.version()
    stage.publish(b"one")
    directory.read()
    stage.directory(stage.sibling).write(SMALL)
    assert directory.version() == version


@dataclass
class Follower:
    """Reads the documents whenever there is another version, as a worker does."""

    directory: Directory
    version: object = None
    documents: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        version = self.directory.version()
        if version != self.version:
            self.version, self.documents = version, dict(self.directory.read())


def test_who_reads_at_another_version_only_knows_all_that_many_have_written_at_once(stage):
    writers = [stage.directory() for _ in range(3)]
    follower = Follower(stage.directory())

    def write(number: int) -> None:
        for count in range(8):
            writers[number].write({f"contract/{number}-{count}": str(count), "contract/shared": str(number)})

    threads = [threading.Thread(target=write, args=[number]) for number in range(3)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        follower.look()
    follower.look()

    assert follower.documents.pop("contract/shared") in {"0", "1", "2"}
    assert follower.documents == {f"contract/{number}-{count}": str(count) for number in range(3) for count in range(8)}


@pytest.mark.promised("between_processes")
def test_what_another_process_has_written_is_there_though_it_is_killed(stage):
    follower = Follower(stage.directory())
    follower.look()
    scribe = stage.scribe(stage.name, SMALL)
    follower.look()
    assert follower.documents == SMALL
    scribe.kill()
    scribe.wait()
    assert stage.directory().read() == SMALL


# What is apart


def test_workflows_have_directories_of_their_own(stage):
    stage.directory().write(SMALL)
    other = stage.directory(stage.sibling)
    assert other.read() == {}
    other.write({"contract/alpha": "of the other"})
    assert stage.directory().read() == SMALL
    assert other.read() == {"contract/alpha": "of the other"}


def test_namespaces_have_directories_of_their_own(stage):
    apart = stage.apart().directory()
    stage.directory().write(SMALL)
    assert apart.read() == {}


@pytest.mark.slow_on("kafka")
def test_documents_and_messages_have_nothing_to_do_with_each_other(stage):
    stage.directory().write(SMALL)
    stage.publish(b"one")
    receiver = stage.receiver("alpha")
    assert bodies(take(receiver, 1)) == [b"one"]
    assert stage.leftovers(receiver) == []
    assert stage.directory().read() == SMALL


# A broker that is gone


USES = {
    "version": lambda directory: directory.version(),
    "read": lambda directory: directory.read(),
    "write": lambda directory: directory.write(SMALL),
}


@pytest.mark.served
def test_a_directory_at_nobody_is_refused_and_tells_no_password(stage, proxy, far):
    proxy.cut()
    with pytest.raises(DeliveryError) as caught:
        far.directory()
    assert str(proxy.port) in str(caught.value)
    assert not any(password in str(caught.value) for password in stage.broker.secrets)


@pytest.mark.slow_on("kafka")
@pytest.mark.served
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_directory_whose_broker_is_gone_raises_and_is_of_no_use_any_more(proxy, far, use):
    directory = far.directory()
    proxy.cut()
    for _ in range(2):
        with pytest.raises(DeliveryError):
            use(directory)
    directory.close()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_closed_directory_is_of_no_use_any_more(stage, use):
    directory = stage.directory()
    directory.close()
    directory.close()
    with pytest.raises(DeliveryError):
        use(directory)


def test_the_table_says_for_how_long_a_sender_may_rely_on_what_it_has_read(stage):
    assert 0.0 <= stage.promises.directory_age <= 5.0
    assert stage.promises.directory_age == 0.0 or not stage.promises.routes
    assert stage.promises.directory_age < PATIENCE
