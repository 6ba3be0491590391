"""Contracts are written once, and nothing is written to see whether something would be."""

from __future__ import annotations

import json
import shutil
import subprocess

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


class TestSquash:
    """Of several versions that only this branch has, one is left; what is released stays."""

    FIELDS = ("more: str = ''", "more: int = 0", "most: int = 1")

    @pytest.fixture
    def exported(self, stamp, small, here):
        """Return `exported(number, *options)`: export the model as it is after so many changes, 0 for none."""

        def export(number: int, *options: str):
            source = (here / "small.py").read_text()
            if number:
                field = f"    text: str\n    {self.FIELDS[number - 1]}\n"
                source = source.replace("    text: str\n", field)
            name = f"changed{number}"
            (here / f"{name}.py").write_text(source)
            done = stamp("export", f"{name}:order", *options)
            assert done.exit_code == 0, done.output
            return sorted(done.stdout.splitlines())

        return export

    @pytest.fixture
    def git(self, here, monkeypatch):
        for name, value in {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}.items():
            monkeypatch.setenv(name, value)
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_NAME", "A")
            monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.org")

        def run(*arguments: str) -> None:
            subprocess.run(("git", *arguments), cwd=here, check=True, capture_output=True)

        run("init", "--quiet", "--initial-branch=main")
        return run

    def commit(self, git, message: str) -> None:
        git("add", "schemas")
        git("commit", "-qm", message)

    def versions(self, here) -> dict[str, str]:
        return {file.name: file.read_text() for file in (here / "schemas/order/work").glob("*.avsc")}

    def test_versions_that_only_this_branch_has_become_one(self, exported, git, here):
        exported(0)
        self.commit(git, "released")
        released = self.versions(here)
        git("checkout", "-qb", "change")
        for number in (1, 2, 3):
            exported(number)
            self.commit(git, "more")
        newest = self.versions(here)["Done.v4.avsc"]
        assert exported(3, "--squash") == [
            "removed schemas/order/work/Done.v3.avsc",
            "removed schemas/order/work/Done.v4.avsc",
            "updated schemas/order/work/Done.v2.avsc",
        ]
        assert self.versions(here) == released | {"Done.v2.avsc": newest}
        assert exported(3, "--squash") == exported(3) == ["nothing to change"]

    def test_a_model_that_is_what_it_was_has_no_version_of_its_own(self, exported, git, here):
        exported(0)
        self.commit(git, "released")
        before = self.versions(here)
        exported(1)
        exported(2)
        exported(0, "--squash")
        assert self.versions(here) == before

    def test_what_a_baseline_has_stays(self, exported, here):
        exported(0)
        exported(1)
        shutil.copytree(here / "schemas", here / "released")
        before = self.versions(here)
        exported(2)
        exported(3)
        exported(3, "--squash", "--against", "released")
        assert set(self.versions(here)) == {"Done.v1.avsc", "Done.v2.avsc", "Done.v3.avsc"}
        assert before.items() <= self.versions(here).items()

    @pytest.mark.parametrize("against", ["store:", "store:sqlite:///stamp.db"])
    def test_what_is_announced_stays(self, stamp, exported, here, against):
        exported(0)
        exported(1)
        assert stamp("contracts", "push").exit_code == 0
        before = self.versions(here)
        exported(2)
        exported(3)
        exported(3, "--squash", "--against", against)
        assert set(self.versions(here)) == {"Done.v1.avsc", "Done.v2.avsc", "Done.v3.avsc"}
        assert before.items() <= self.versions(here).items()

    def test_what_the_main_branch_has_taken_over_is_released(self, exported, git, here):
        exported(0)
        self.commit(git, "released")
        git("checkout", "-qb", "change")
        exported(1)
        self.commit(git, "one more")
        git("checkout", "-q", "main")
        git("merge", "-q", "--squash", "change")
        git("commit", "-qm", "all of the branch")
        git("checkout", "-q", "change")
        before = self.versions(here)
        exported(2)
        exported(3, "--squash")
        assert set(self.versions(here)) == {"Done.v1.avsc", "Done.v2.avsc", "Done.v3.avsc"}
        assert before.items() <= self.versions(here).items()

    def test_what_is_said_of_a_version_goes_with_it(self, exported, git, here):
        exported(0)
        self.commit(git, "released")
        exported(1)
        exported(2)
        file = here / "schemas/order/work/step.json"
        said = json.loads(file.read_text()) | {"retired": {"Done.v2": "2026-01-01"}}
        file.write_text(json.dumps(said))
        exported(2, "--squash")
        assert "retired" not in json.loads(file.read_text())
        assert set(self.versions(here)) == {"Done.v1.avsc", "Done.v2.avsc"}

    def test_the_first_export_has_nothing_to_squash(self, exported, git):
        git("commit", "--allow-empty", "-qm", "empty")
        assert "created schemas/order/work/Done.v1.avsc" in exported(0, "--squash")

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--against", "main"], "expected --squash beside --against"),
            (["--squash", "--against", "nowhere"], "expected a"),
            (["--squash"], "say with --against what runs now"),
        ],
    )
    def test_without_a_baseline_nothing_is_touched(
        self, stamp, small, exported, files, monkeypatch, here, options, said
    ):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
        exported(0)
        exported(1)
        before = files()
        done = stamp("export", f"{small}:order", *options)
        assert (done.exit_code, said in done.stderr) == (2, True), done.output
        assert files() == before


def test_no_contract_is_written_through_a_link(here, stamp):
    aside = here / "aside"
    aside.mkdir()
    (here / "schemas").mkdir()
    (here / "schemas/ticket").symlink_to(aside)
    result = stamp("export", "examples.ticket:ticket", "--out", "schemas")
    assert result.exit_code == 2
    assert "schemas/ticket: expected a file or a folder of its own, got a symbolic link" in result.stderr
    assert list(aside.iterdir()) == []
