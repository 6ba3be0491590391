"""URLs of brokers and stores: what is read of them, what is refused, and that no text tells a part of a password."""

from __future__ import annotations

import socket
import traceback
from functools import partial
from threading import Thread
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stamp.errors import DeliveryError, InputError, StampError, StoreError
from stamp.runtime.brokers import transport
from stamp.runtime.topology import Topology
from stamp.store.address import address, public
from stamp.store.store import Store
from stamp.url import Secrets, Url, whole

LETTERS = "ZQJWV"
"""In no message of ours: a part of a secret that has one of them is from nowhere else."""
SECRET = st.text(f"{LETTERS}{LETTERS}179/?#@:;&=%[]+,.\\ \n\0é\u2028", min_size=3, max_size=24)

SHAPES = [
    "{scheme}://user:{secret}@host",
    "{scheme}://user:{secret}@host/",
    "{scheme}://:{secret}@host:1/0",
    "{scheme}://user:{secret}@host/db?timeout=3",
    "{scheme}://user:{secret}@one:1,two:2",
    "{scheme}://user:ok@host?password={secret}",
    "{scheme}://host/db?password={secret}",
    "{scheme}://host/db?sslpassword={secret}&x=y",
    "{scheme}://host?sasl.password={secret}",
    "{scheme}://user:{secret}@",
    "{scheme}:user:{secret}@host",
    "user:{secret}@host",
]
SCHEMES = ["amqp", "amqps", "redis", "rediss", "kafka", "kafkas", "sqs", "sqla+postgresql", "memory", "nonsense"]


def told(action) -> str:
    """Return all that can be seen of what `action` does: its result, or its error with the errors behind it."""
    try:
        return str(action())
    except StampError as error:
        return "".join(traceback.format_exception(error)) + repr(error)


def refused(action, kind) -> str:
    """Return why `action` is refused, nothing if it is not; other errors are none that a person should see."""
    try:
        action()
    except kind as error:
        return str(error)
    return ""


def parts(secret: str) -> set[str]:
    return {secret[at : at + 3] for at in range(len(secret) - 2) if set(secret[at : at + 3]) & set(LETTERS)}


def opened(url: str) -> str:
    made = transport(url)
    return f"{made.address} {made!r}"


@given(st.sampled_from(SCHEMES), st.sampled_from(SHAPES), SECRET)
@example("redis", SHAPES[0], "ZQJ/WV")
@example("amqp", SHAPES[1], "12?ZQJ")
@example("amqp", SHAPES[1], "12?heartbeat=ZQJ")
@example("kafka", SHAPES[0], "ZQ#JW")
@example("sqs", SHAPES[0], "7?queue=ZQJ")
@example("memory", SHAPES[0], "ZQJ")
@example("sqla+postgresql", SHAPES[3], "Q@ZQJWV")
def test_no_part_of_a_secret_is_told_of_a_broker(scheme, shape, secret):
    url = shape.format(scheme=scheme, secret=secret)
    text = told(lambda: opened(url))
    assert not [each for each in parts(secret) if each in text]


@given(st.sampled_from(["postgresql", "postgres", "sqlite", "mysql"]), st.sampled_from(SHAPES), SECRET)
@example("postgresql", SHAPES[3], "Q@ZQJWV")
@example("postgresql", SHAPES[3], "Q@Z?QJWV")
@example("postgresql", SHAPES[3], "ZQ?J#WV/")
@example("sqlite", SHAPES[0], "ZQJWV")
def test_no_part_of_a_secret_is_told_of_a_store(scheme, shape, secret):
    url = shape.format(scheme=scheme, secret=secret)
    text = told(lambda: public(address(url)))
    assert not [each for each in parts(secret) if each in text]


@given(st.text(min_size=1, max_size=30).filter(str.isprintable))
@pytest.mark.parametrize("scheme", ["amqp", "redis", "kafka", "sqs"])
def test_an_escaped_secret_is_read_as_it_was(scheme, secret):
    url = Url.parse(f"{scheme}://user:{quote(secret, safe='')}@host", what="it", expected="x")
    assert (url.user, url.password, url.hosts) == ("user", secret, "host")
    transport(f"{scheme}://user:{quote(secret, safe='')}@host")


@given(st.text(max_size=60))
@pytest.mark.parametrize("scheme", [*SCHEMES[:-1], "sqla+sqlite", "filesystem", ""])
def test_any_text_is_read_or_refused(scheme, text):
    for url in (text, f"{scheme}://{text}", f"{scheme}://host:{text}", f"{scheme}://host/x?{text}"):
        assert len(refused(partial(transport, url), InputError)) < 1_000


@given(st.text(max_size=60))
@pytest.mark.parametrize("scheme", ["sqlite", "postgresql", ""])
def test_any_text_is_the_address_of_a_store_or_none(scheme, text):
    for url in (text, f"{scheme}://{text}", f"{scheme}://host:{text}/x", f"{scheme}://host/x?{text}"):
        assert len(refused(partial(address, url), StoreError)) < 1_000


BAD = {
    "port": ["port=x", "port=99999999999", "port=-1"],
    "number": ["connect_timeout=x", "connect_timeout=1e400", "keepalives=x", "connect_timeout=" + "9" * 5_000],
    "unknown": ["nonsense=1", "a.b=1", "=1", "&&==", "host=&host=&port=1", "port=1&port=2"],
    "text": ["client_encoding=nonsense", "options=%00", "sslmode=perhaps", "sslmode=require&sslrootcert=/nowhere"],
}


@pytest.mark.parametrize("options", [each for some in BAD.values() for each in some], ids=lambda text: text[:30])
def test_options_that_a_database_does_not_take_are_an_error_of_ours(options):
    with pytest.raises(StoreError):
        Store.open(f"postgresql://user:ZQJWV@127.0.0.1:1/db?{options}")
    with pytest.raises((DeliveryError, InputError)):
        transport(f"sqla+postgresql://user:ZQJWV@127.0.0.1:1/db?{options}").sender(Topology.of("t", {"a": ["A"]}))


@pytest.mark.parametrize(
    "options", ["timeout=x", "timeout=nan", "nonsense=1", "mode=xx&uri=true", "check_same_thread=q"]
)
def test_options_that_sqlite_does_not_take_are_an_error_of_ours(options, tmp_path):
    for url in (f"sqlite:///{tmp_path}/x.db?{options}", f"sqlite:///file:{tmp_path}/y.db?{options}"):
        assert "Traceback" not in refused(lambda url=url: Store.open(url).close(), StoreError)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://host:x", "cannot be parsed"),
        ("redis://host:0", "cannot be parsed"),
        ("redis://host:65536", "cannot be parsed"),
        (f"redis://host:{'9' * 5_000}", "cannot be parsed"),
        ("redis://a..b", "cannot be parsed"),
        (f"redis://{'a' * 70}.b", "cannot be parsed"),
        ("redis://host/1%zz", "cannot be parsed"),
        ("redis://u:%ff@host", "cannot be parsed"),
        (f"redis://host/{'9' * 5_000}", "number of a database"),
        ("redis://host?timeout=1e400", "between"),
        ("redis://host?timeout=1&timeout=2", "twice"),
        ("redis://host?timeout", "cannot be parsed"),
        ("redis://host?timout=1", "did you mean timeout"),
        ("redis://host?prefix=%00", "cannot be parsed"),
        (f"amqp://host?heartbeat={'9' * 5_000}", "from 1 to 65535"),
        ("amqp://host?heartbeat=%ff", "cannot be parsed"),
        (f"amqp://host/{'v' * 256}", "virtual host"),
        ("amqp://host/%ff", "cannot be parsed"),
        ("amqp://", None),
        ("kafka://h?session=inf", "between"),
        (f"kafka://h?partitions={'9' * 5_000}", "from 1 to"),
        ("kafka://h:1,h:x", "cannot be parsed"),
        (f"sqs://r?visibility={'9' * 5_000}", "from 1 to"),
        ("sqs://r?endpoint=http://host:99999", "expected an address"),
        ("memory://a/b", "memory://name"),
        ("memory://[a", "memory://name"),
        ("filesystem://%00", "filesystem:///"),
        (f"{'s' * 100_000}:x", "got something without that"),
    ],
    ids=lambda text: str(text)[:40],
)
def test_every_part_of_a_url_is_looked_at(url, said):
    if said is None:
        assert transport(url).address
        return
    with pytest.raises(InputError, match=said) as caught:
        transport(url)
    assert len(str(caught.value)) < 600


def test_what_an_error_tells_depends_on_whether_something_is_secret():
    with pytest.raises(InputError, match="windows: did you mean window"):
        transport("amqp://host?windows=1")
    with pytest.raises(InputError, match="not what stands there: did you mean window"):
        transport("amqp://u:p@host?windows=1")


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("10", None), ("0", None), ("", None), ("٣", None), ("+1", None), ("1" * 5_000, None)],
)
def test_whole_numbers(text, number):
    assert whole(text, 1, 9) == number


def test_what_a_client_says_is_masked_and_its_error_left_behind():
    secrets = Secrets(["p@ss/word", "ab"])
    assert secrets.masked("p@ss/word p%40ss%2Fword p%40ss/word ab") == "*** *** *** ab"
    clean, telling = ValueError("no"), ValueError("p@ss/word")
    assert secrets.cause(clean) is clean
    assert secrets.cause(telling) is None
    clean.__context__ = telling
    assert secrets.cause(clean) is None
    assert "word" not in repr(secrets)


def test_a_server_that_repeats_the_password_is_not_repeated():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo():
            connection, _ = server.accept()
            with connection:
                asked = connection.recv(4096).split(b"\r\n")
                connection.sendall(b"-ERR unknown command, with args beginning with: " + b" ".join(asked) + b"\r\n")

        Thread(target=echo, daemon=True).start()
        url = f"redis://user:s3cr-ZQJWV@127.0.0.1:{server.getsockname()[1]}?timeout=5"
        text = told(lambda: transport(url).sender(Topology.of("t", {"a": ["A"]})))
    assert "***" in text
    assert "ZQJ" not in text
