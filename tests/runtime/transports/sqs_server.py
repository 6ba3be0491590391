"""An SQS that every machine can have: moto, which keeps everything in memory and asks for no login. `pip install '.[dev,dev-sqs]'`."""

from __future__ import annotations

import atexit
import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

CONTENT: Final = ("content-type", "content-encoding")
VISIBILITY: Final = 5


@cache
def port() -> int:
    """Return where the server that all tests of this process share listens; it ends with the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = int(free.getsockname()[1])
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(found)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.kill)
    while True:
        try:
            socket.create_connection(("127.0.0.1", found)).close()
        except ConnectionRefusedError:
            assert process.poll() is None
            time.sleep(0.05)
        else:
            return found


@cache
def client() -> Any:
    import boto3

    login = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.client("sqs", region_name="eu-central-1", endpoint_url=f"http://127.0.0.1:{port()}", **login)


def url(name: str) -> str:
    return str(client().get_queue_url(QueueName=name)["QueueUrl"])


def inject(name: str, body: bytes, headers: Mapping[str, Any], *content: str | None) -> None:
    """Send a message, as somebody else may who knows how stamp writes them."""
    values = {"stamp-headers": json.dumps(headers), "content-transfer-encoding": "base64"}
    values |= {name: value for name, value in zip(CONTENT, content, strict=True) if value}
    client().send_message(
        QueueUrl=url(name),
        MessageBody=base64.b64encode(body).decode() or " ",
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in values.items()},
        MessageGroupId=f"theirs-{hash(body)}",  # of a group one is out at a time
        MessageDeduplicationId=name[:20] + str(hash(body)),
    )


def letters(name: str) -> Iterator[tuple[Any, ...]]:
    """Take what is in a dead letter queue."""
    options = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    while found := client().receive_message(QueueUrl=url(name), **options).get("Messages"):
        for each in found:
            texts = {name: value["StringValue"] for name, value in each["MessageAttributes"].items()}
            body = base64.b64decode(each["Body"].strip())
            yield body, json.loads(texts["stamp-headers"]), *map(texts.get, CONTENT)
            client().delete_message(QueueUrl=url(name), ReceiptHandle=each["ReceiptHandle"])
