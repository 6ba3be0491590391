"""Contracts are written once, and nothing is written to see whether something would be."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def files(here):
    """Return `files()`: what is in the contracts folder."""
    return lambda: {
        str(path.relative_to(here)): path.read_bytes() for path in here.rglob("schemas/**/*") if path.is_file()
    }


def test_the_second_time_there_is_nothing_to_change(stamp, small, files):
    first = stamp("export", f"{small}:order")
    assert first.exit_code == 0
    assert sorted(first.stdout.splitlines()) == [
        "created schemas/order/order/Order.v1.avsc",
        "created schemas/order/order/step.json",
        "created schemas/order/work/Done.v1.avsc",
        "created schemas/order/work/reads/order.avsc",
        "created schemas/order/work/step.json",
        "created schemas/stamp/envelope.v1.avsc",
        "created schemas/stamp/failure.v1.avsc",
        "created schemas/stamp/step.schema.json",
    ]
    assert [line.split()[1] for line in sorted(first.stdout.splitlines())] == sorted(files())
    second = stamp("export", f"{small}:order")
    assert (second.exit_code, second.stdout) == (0, "nothing to change\n")


def test_a_check_writes_nothing(stamp, small, here, files):
    would = stamp("export", f"{small}:order", "--check")
    assert would.exit_code == 1
    assert "would be created schemas/order/order/step.json\n" in would.stdout
    assert files() == {}
    stamp("export", f"{small}:order")
    before = files()
    done = stamp("export", f"{small}:order", "--check")
    assert (done.exit_code, done.stdout) == (0, "nothing to change\n")
    assert files() == before


def test_a_changed_model_becomes_the_next_version(stamp, small, here, files):
    stamp("export", f"{small}:order")
    before = files()
    source = (here / "small.py").read_text().replace("    text: str\n", "    text: str\n    more: str = ''\n")
    (here / "changed.py").write_text(
        source.replace("class Do(BaseModel):\n    do: str", "class Do(BaseModel):\n    do: str = ''")
    )
    expected = ["created schemas/order/work/Done.v2.avsc", "updated schemas/order/work/reads/order.avsc"]
    check = stamp("export", "changed:order", "--check")
    assert check.exit_code == 1
    assert sorted(check.stdout.splitlines()) == [f"would be {line}" for line in expected]
    assert files() == before
    done = stamp("export", "changed:order")
    assert (done.exit_code, sorted(done.stdout.splitlines())) == (0, expected)
    assert {name: files()[name] for name in before if not name.endswith("reads/order.avsc")} == {
        name: data for name, data in before.items() if not name.endswith("reads/order.avsc")
    }


def test_a_view_that_is_no_longer_read_is_removed(stamp, small, here):
    stamp("export", f"{small}:order")
    source = (here / "small.py").read_text().replace("def work(order: Do)", "def work()").replace("order.do", "'x'")
    (here / "reading_nothing.py").write_text(source)
    done = stamp("export", "reading_nothing:order")
    assert "removed schemas/order/work/reads/order.avsc\n" in done.stdout


def test_contracts_go_where_they_are_wanted(stamp, small, here):
    done = stamp("export", f"{small}:order", "--out", "elsewhere")
    assert done.exit_code == 0
    assert (here / "elsewhere/order/work/step.json").is_file()
    assert not (here / "schemas").exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "order/work/step.json").write_text("{"), "step.json:1: expected JSON"),
        (lambda folder: (folder / "order/work/Done.v1.avsc").write_text("1"), "Done.v1.avsc"),
        (
            lambda folder: (folder / "order/work/Done.avsc").write_text("{}"),
            "expected a schema file called <Name>.v<N>.avsc",
        ),
        (lambda folder: (shutil.rmtree(folder), folder.write_text("")), "is a file"),
    ],
)
def test_a_folder_that_is_not_in_order_is_left_alone(stamp, small, here, damage, said):
    stamp("export", f"{small}:order")
    damage(here / "schemas")
    done = stamp("export", f"{small}:order", "--out", "schemas")
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_what_others_have_yet_to_provide_is_no_obstacle(stamp, small, here, files):
    (here / "early.py").write_text((here / "small.py").read_text().replace('on="Ordered"', 'on="Accepted"'))
    assert stamp("export", "early:order").exit_code == 0
    done = stamp("check")
    assert done.exit_code == 1
    assert "work is never reached: it listens to Accepted, which nobody publishes" in " ".join(done.stdout.split())


def test_a_definition_that_contradicts_itself_is_refused(stamp, small, here, files):
    (here / "astray.py").write_text(
        (here / "small.py")
        .read_text()
        .replace("class Do(BaseModel):\n    do: str", "class Do(BaseModel):\n    do: list[str]")
    )
    done = stamp("export", "astray:order")
    assert done.exit_code == 2
    assert "can read nothing that the step 'order' writes" in done.stderr
    assert files() == {}
