"""RabbitMQ over TLS: the certificate must be valid, and for the host that was asked for."""

from __future__ import annotations

import subprocess
from typing import NamedTuple

import pytest

from stamp.errors import DeliveryError

from .proxy import TlsProxy
from .stage import bodies, take

pytestmark = pytest.mark.only("rabbitmq")

ALL_BYTES = bytes(range(256))


class Certificate(NamedTuple):
    certificate: str
    key: str


@pytest.fixture
def certificate(require, tmp_path):
    """Return what makes a self-signed certificate for a name."""
    openssl = require("openssl")

    def make(name):
        files = tmp_path / "certificate.pem", tmp_path / "key.pem"
        subject = ["-subj", "/CN=test", "-addext", f"subjectAltName={name}"]
        new = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        subprocess.run([*new, *subject, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
        return Certificate(*files)

    return make


@pytest.fixture
def secured(stage, stack, certificate):
    """Return the stage behind TLS, with a certificate for a name; `trusted` is whether we are told to trust it."""

    def secure(name, *, trusted=True):
        made = certificate(name)
        proxy = TlsProxy(stage.broker.port, *made)
        stack.callback(proxy.close)
        far = stage.behind(proxy.port)
        far.broker.arguments[0] = far.broker.arguments[0].replace("amqp://", "amqps://")
        return far.with_options(**({"ssl_ca_certs": made.certificate} if trusted else {}))

    return secure


def test_events_arrive_over_tls(secured):
    far = secured("IP:127.0.0.1")
    large = ALL_BYTES * 8192
    receiver = far.receiver("alpha", "beta")
    far.publish(b"", ALL_BYTES, large)
    arrivals = take(receiver, 6)
    receiver.acknowledge(arrivals)
    assert sorted(bodies(arrivals)) == sorted([b"", ALL_BYTES, large] * 2)


def test_many_small_events_arrive_over_tls(secured):
    numbered = [b"%03d" % number for number in range(500)]
    far = secured("IP:127.0.0.1")
    far.publish(*numbered)
    assert bodies(take(far.receiver("alpha", prefetch=1000), 500)) == numbered


@pytest.mark.parametrize(("name", "trusted"), [("IP:127.0.0.2", True), ("DNS:rabbit", True), ("IP:127.0.0.1", False)])
def test_a_certificate_of_another_host_or_that_nobody_trusts_is_refused(secured, name, trusted):
    with pytest.raises(DeliveryError, match="certificate"):
        secured(name, trusted=trusted).sender()
