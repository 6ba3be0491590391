"""Where states of contracts are read from: folders, archives, and git in place."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import signal
import subprocess
import tarfile
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest

from stamp.errors import ContractError, InputError, SchemaError, StampError
from stamp.ripple import read_baseline, read_folder, repository, revision
from stamp.ripple.example import files
from stamp.ripple.foreign import is_contract_file
from stamp.ripple.unpacking import Unpacked
from stamp.schema.limits import MAX_FILE


def said(contracts):
    """Return all that the files of a state say."""
    return {(key, name): file.value for key, found in contracts.files.items() for name, file in found.items()}


@pytest.fixture
def changed(flow):
    now = deepcopy(flow)
    now["billing"]["writes"]["Billed.v2"] = {"amount": "long", "currency": "string"}
    return now


@pytest.fixture
def repo(git, lay, flow, changed, tmp_path):
    """A repository: `main` and a branch of it, checked out, with a change; `main` went on meanwhile."""
    folder = lay(tmp_path / "repo" / "schemas", flow)
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("tag", "v1")
    git("checkout", "--quiet", "-b", "work")
    lay(folder, changed)
    git("add", ".")
    git("commit", "--quiet", "-m", "two")
    git("checkout", "--quiet", "main")
    lay(folder, {"survey": {"on": ["TicketBilled"]}})
    git("add", ".")
    git("commit", "--quiet", "-m", "three")
    git("checkout", "--quiet", "work")
    return folder


class TestFolder:
    def test_it_is_the_contracts_in_it(self, flow, lay, state, tmp_path):
        assert said(read_folder(lay(tmp_path / "schemas", flow))) == said(state(flow))

    def test_as_a_baseline(self, flow, lay, tmp_path):
        other = lay(tmp_path / "other", flow)
        found = read_baseline(str(other), tmp_path / "schemas")
        assert (found.name, len(found.steps)) == (str(other), 5)

    def test_what_did_not_change_is_shared(self, flow, changed, lay, tmp_path):
        now = read_folder(lay(tmp_path / "now", changed))
        before = read_folder(lay(tmp_path / "before", flow), like=now)
        shared = [
            (key, name)
            for key, found in before.files.items()
            for name, file in found.items()
            if file is now.files[key].get(name)
        ]
        assert len(shared) == len(files(flow))

    @pytest.mark.parametrize(
        ("name", "text", "error"),
        [
            ("billing/step.json", b"{", SchemaError),
            ("billing/step.json", b"{}", ContractError),
            ("billing/Billed.v1.avsc", b'{"type": "record"}', SchemaError),
            ("billing/reads/other.avsc", b'"string"', ContractError),
        ],
    )
    def test_what_is_no_contract_is_refused_with_its_file(self, flow, lay, tmp_path, name, text, error):
        folder = lay(tmp_path, flow)
        (folder / "ticket" / name).write_bytes(text)
        with pytest.raises(error) as caught:
            read_folder(folder)
        assert caught.value.file == str(folder / "ticket" / name)

    @pytest.mark.parametrize("name", ["step.json", "Billed.v1.avsc", "reads/validation.avsc"])
    @pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to a pipe", "large", "link to nothing"])
    def test_what_is_no_plain_file_of_some_size_is_refused_at_once(self, flow, lay, tmp_path, name, kind):
        folder = lay(tmp_path / "schemas", flow)
        file = folder / "ticket/billing" / name
        file.unlink()
        match kind:
            case "pipe":
                os.mkfifo(file)
            case "device":
                file.symlink_to("/dev/zero")
            case "folder":
                file.mkdir()
            case "link to a pipe":
                os.mkfifo(tmp_path / "pipe")
                file.symlink_to(tmp_path / "pipe")
            case "large":
                file.write_bytes(b" " * (MAX_FILE + 1))
            case "link to nothing":
                file.symlink_to(tmp_path / "nothing")
        with pytest.raises(ContractError, match="expected a file") as caught:
            read_folder(folder)
        assert caught.value.file == str(file)

    def test_a_plain_file_of_the_largest_size_is_read(self, flow, lay, tmp_path):
        folder = lay(tmp_path / "schemas", flow)
        with (folder / "ticket/billing/step.json").open("ab") as text:
            text.write(b" " * (MAX_FILE - text.tell()))
        assert len(read_folder(folder).steps) == 5

    def test_versions_may_be_missing(self, flow, lay, tmp_path):
        flow["billing"]["writes"] = {"Billed.v2": {"amount": "long"}}
        assert read_folder(lay(tmp_path, flow)).versions("ticket", "billing")[0].label == "Billed.v2"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("ticket/billing/step.json", True),
        ("ticket/billing/Billed.v1.avsc", True),
        ("ticket/billing/reads/ticket.avsc", True),
        ("ticket/billing/odd.avsc", True),
        ("ticket/billing/notes.md", False),
        ("ticket/billing/old/Billed.v1.avsc", False),
        ("ticket/billing/reads/old/ticket.avsc", False),
        ("ticket/step.json", False),
        ("stamp/wire/step.json", False),
        (".git/x/step.json", False),
        ("ticket/.cache/step.json", False),
        ("step.json", False),
        ("ticket/billing", False),
    ],
)
def test_which_files_are_part_of_a_contract(name, is_one):
    assert is_contract_file(name) is is_one


class TestArchive:
    @pytest.fixture
    def pack(self, tmp_path):
        def write(texts, name="baseline.tar", mode="w") -> str:
            with tarfile.open(tmp_path / name, mode) as archive:
                for path, text in texts.items():
                    member = tarfile.TarInfo(path)
                    member.size = len(text)
                    archive.addfile(member, io.BytesIO(text))
            return str(tmp_path / name)

        return write

    @pytest.mark.parametrize("prefix", ["", "./", "schemas/", "project-1.0/schemas/", "a/b/c/"])
    def test_the_folder_is_found_wherever_it_is(self, flow, state, pack, prefix):
        file = pack({prefix + name: text for name, text in files(flow).items()} | {"README.md": b"", "x/y.avsc": b"?"})
        assert said(read_baseline(file, "schemas")) == said(state(flow))

    @pytest.mark.parametrize(("name", "mode"), [("b.tar.gz", "w:gz"), ("b.tgz", "w:gz"), ("b.tar.xz", "w:xz")])
    def test_it_may_be_compressed(self, flow, state, pack, name, mode):
        assert said(read_baseline(pack(files(flow), name, mode), "schemas")) == said(state(flow))

    def test_of_several_folders_it_is_the_one_of_the_same_name(self, flow, pack):
        texts = {f"tests/data/{name}": text for name, text in files({"a": {}}).items()}
        file = pack(texts | {f"schemas/{name}": text for name, text in files(flow).items()})
        assert len(read_baseline(file, "here/schemas").steps) == 5
        with pytest.raises(InputError, match=r"one called 'contracts', got schemas, tests/data"):
            read_baseline(file, "contracts")

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
    @pytest.mark.parametrize(
        "linked", ["billing/reads/secret.avsc", "billing/Billed.v2.avsc", "billing/step.json", "other", "billing/reads"]
    )
    def test_a_link_is_no_contract(self, flow, tmp_path, linked, kind):
        with tarfile.open(tmp_path / "b.tar", "w") as archive:
            for name, text in files(flow).items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text))
            link = tarfile.TarInfo(f"ticket/{linked}")
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
        with pytest.raises(
            ContractError, match=r"got a (symbolic link|hard link, pipe or device): put the contract itself here"
        ) as caught:
            read_baseline(str(tmp_path / "b.tar"), "schemas")
        assert caught.value.file == str(tmp_path / "b.tar/ticket" / linked)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"", "got an empty file: write it again, for instance with `git archive"),
            (b"not an archive", "got one that is broken or cut short: write it again"),
            (b"\0" * 1024, "expected one folder of contracts"),
        ],
    )
    def test_what_is_none_is_refused(self, tmp_path, text, said):
        (tmp_path / "b.tar").write_bytes(text)
        with pytest.raises(InputError, match=said) as caught:
            read_baseline(str(tmp_path / "b.tar"), "schemas")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "mode"), [("b.tar", "w"), ("b.tgz", "w:gz"), ("b.tar.xz", "w:xz"), ("b.tar.bz2", "w:bz2")]
    )
    def test_what_is_cut_short_is_refused_wherever_that_is(self, flow, pack, name, mode):
        file = Path(pack(files(flow), name, mode))
        whole = file.read_bytes()
        end = len(whole.rstrip(b"\0")) if mode == "w" else len(whole)
        for size in {1, *range(1, end, max(256, end // 20)), end // 512 * 512, end - 1}:
            file.write_bytes(whole[:size])
            with pytest.raises(InputError, match="broken or cut short"):
                read_baseline(str(file), "schemas")

    @pytest.mark.parametrize(
        ("name", "mode"), [("b.tar", "w"), ("b.tgz", "w:gz"), ("b.tar.xz", "w:xz"), ("b.tar.bz2", "w:bz2")]
    )
    def test_broken_bytes_never_get_further_than_a_typed_error(self, flow, pack, name, mode):
        file = Path(pack(files(flow), name, mode))
        whole, chance = file.read_bytes(), Random(4729)
        for _ in range(60):
            broken = bytearray(whole)
            broken[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            file.write_bytes(broken)
            with suppress(StampError):
                read_baseline(str(file), "schemas")

    def test_one_that_is_not_there_is_no_revision(self, tmp_path):
        with pytest.raises(InputError, match=r"expected a \.tar file that can be read, got none"):
            read_baseline(str(tmp_path / "b.tar"), "schemas")

    def test_too_much_is_refused(self, flow, pack, monkeypatch):
        monkeypatch.setattr("stamp.ripple.archive.MAX_SIZE", 100)
        with pytest.raises(InputError, match="at most 100 bytes"):
            read_baseline(pack(files(flow)), "schemas")

    @pytest.mark.parametrize(
        ("limit", "value", "said"),
        [
            ("archive.MAX_MEMBERS", 3, "at most 3 members"),
            ("unpacking.MAX_UNPACKED", 2_000, "at most 2000 bytes when it is unpacked"),
            ("unpacking.TIME", -1.0, "can be read in -1 seconds"),
        ],
    )
    def test_what_takes_too_long_or_too_much_is_refused(self, flow, pack, monkeypatch, limit, value, said):
        monkeypatch.setattr(f"stamp.ripple.{limit}", value)
        with pytest.raises(InputError, match=said):
            read_baseline(pack(files(flow), "b.tgz", "w:gz"), "schemas")

    @pytest.mark.parametrize(
        "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
    )
    def test_what_describes_a_member_is_bounded(self, tmp_path, kind):
        member = tarfile.TarInfo("x")
        member.type, member.size = kind, 8 * 1024**3  # what it claims: nobody waits for so much
        (tmp_path / "b.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(64 * 1024))
        with pytest.raises(InputError, match="described in 8192 bytes"):
            read_baseline(str(tmp_path / "b.tar"), "schemas")

    @pytest.fixture
    def hurry(self):
        """Whatever does not end by itself, ends after ten seconds."""
        before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it takes too long"))
        signal.alarm(10)
        yield
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

    @pytest.mark.parametrize("size", [-1, -512, -(2**60)])
    @pytest.mark.parametrize("is_packed", [False, True])
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("schemas/ticket/billing/step.json", tarfile.REGTYPE),
            ("schemas/README.md", tarfile.REGTYPE),
            ("schemas/ticket", tarfile.DIRTYPE),
            ("x", tarfile.XHDTYPE),
            ("x", tarfile.XGLTYPE),
            ("x", tarfile.GNUTYPE_LONGNAME),
            ("x", tarfile.GNUTYPE_LONGLINK),
        ],
    )
    def test_a_negative_size_is_refused_at_once(self, tmp_path, hurry, name, kind, is_packed, size):
        member = tarfile.TarInfo(name)
        member.type, member.size = kind, size
        text = member.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
        (tmp_path / "b.tar").write_bytes(gzip.compress(text) if is_packed else text)
        with pytest.raises(InputError, match="broken or cut short"):
            read_baseline(str(tmp_path / "b.tar"), "schemas")

    @pytest.mark.parametrize("key", ["size", "GNU.sparse.size", "GNU.sparse.realsize"])
    def test_nor_is_one_taken_from_what_describes_a_member(self, flow, tmp_path, hurry, key):
        with tarfile.open(tmp_path / "b.tar", "w", format=tarfile.PAX_FORMAT) as archive:
            for number, (name, text) in enumerate(files(flow).items()):
                member = tarfile.TarInfo(f"schemas/{name}")
                member.size = len(text)
                member.pax_headers = {key: "-5"} if number == 1 else {}
                archive.addfile(member, io.BytesIO(text))
        with pytest.raises(InputError, match="broken or cut short"):
            read_baseline(str(tmp_path / "b.tar"), "schemas")

    def test_the_time_is_looked_at_wherever_something_is_taken(self, tmp_path, monkeypatch):
        stream = Unpacked(io.BytesIO(b"x" * 100), tmp_path / "b.tar")
        assert stream.take(1) == b"x"
        monkeypatch.setattr("stamp.ripple.unpacking.monotonic", lambda: float("inf"))
        with pytest.raises(InputError, match="can be read in 30 seconds"):
            stream.take(1)

    def test_a_file_of_a_contract_is_as_large_as_one_on_disk_may_be(self, flow, pack):
        texts = files(flow) | {"ticket/billing/reads/ticket.avsc": b" " * (MAX_FILE + 1)}
        with pytest.raises(InputError, match=f"at most {MAX_FILE} bytes, got 'ticket/billing/reads/ticket.avsc'"):
            read_baseline(pack(texts), "schemas")

    def test_compressed_files_that_follow_one_another_are_one(self, flow, state, pack, tmp_path):
        whole = Path(pack(files(flow))).read_bytes()
        for name, packer in (("b.tgz", gzip), ("b.tar.xz", lzma), ("b.tar.bz2", bz2)):
            (tmp_path / name).write_bytes(
                packer.compress(whole[:1000]) + packer.compress(b"") + packer.compress(whole[1000:])
            )
            assert said(read_baseline(str(tmp_path / name), "schemas")) == said(state(flow))

    def test_an_error_in_it_names_the_archive(self, flow, pack):
        with pytest.raises(SchemaError) as caught:
            read_baseline(pack(files(flow) | {"ticket/billing/step.json": b"{"}), "schemas")
        assert caught.value.file.endswith("baseline.tar/ticket/billing/step.json")


class TestRevision:
    @pytest.mark.parametrize("given", ["main", "v1", "main~1", "HEAD~1", "refs/heads/main"])
    def test_it_is_where_this_branch_left(self, repo, flow, state, given):
        assert said(read_baseline(given, repo)) == said(state(flow))

    @pytest.mark.parametrize(
        "given", ["v2", "refs/tags/v2", "v2~0", "v2^{commit}", "SHA", "work~0", "main^0", "main@{0}"]
    )
    def test_but_what_is_no_branch_is_exactly_that_commit(self, repo, git, given):
        git("tag", "-a", "v2", "-m", "two", "main")
        given = git("rev-parse", "main") if given == "SHA" else given
        found = read_baseline(given, repo)
        assert len(found.steps) == (5 if given == "work~0" else 6)
        assert "left" not in found.name

    def test_or_its_newest_commit(self, repo):
        assert len(read_baseline("main", repo, merge_base=False).steps) == 6

    def test_its_name_has_the_commit(self, repo, git):
        commit = git("rev-parse", "v1")
        assert read_baseline("main", repo).name == f"main (where this branch left it: {commit[:10]})"
        assert read_baseline("v1", repo).name == f"v1 ({commit[:10]})"
        git("merge", "--quiet", "-m", "four", "main")
        assert read_baseline("main", repo).name == f"main ({git('rev-parse', 'main')[:10]})"
        assert read_baseline(commit, repo).name == commit

    def test_nothing_is_written(self, repo, git, tmp_path):
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "repo").rglob("*")}
        read_baseline("main", repo)
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "repo").rglob("*")} == before

    def test_what_is_not_committed_is_not_in_it(self, repo, lay):
        lay(repo, {"draft": {"on": ["TicketBilled"]}})
        assert ("ticket", "draft") not in read_baseline("HEAD", repo).steps

    def test_the_folder_may_be_gone_here(self, repo, git):
        git("rm", "-r", "--quiet", "schemas")
        assert len(read_baseline("HEAD", repo).steps) == 5

    def test_or_not_be_there_yet(self, repo):
        assert read_baseline("main", repo.parent / "contracts").steps == {}

    def test_the_repository_itself_may_be_the_folder(self, git, lay, flow, tmp_path):
        folder = lay(tmp_path / "repo", flow)
        git("add", ".")
        git("commit", "--quiet", "-m", "one")
        assert len(read_baseline("HEAD", folder).steps) == 5

    def test_names_in_all_scripts(self, git, lay, flow, tmp_path):
        folder = lay(tmp_path / "repo" / "Verträge \t✓", flow)
        git("add", ".")
        git("commit", "--quiet", "-m", "one")
        assert len(read_baseline("HEAD", folder).steps) == 5

    def test_the_folder_may_be_named_from_anywhere(self, repo, monkeypatch):
        monkeypatch.chdir(repo)
        assert len(read_baseline("main", ".").steps) == 5
        monkeypatch.chdir(repo.parent)
        assert len(read_baseline("main", "schemas").steps) == 5

    def test_an_error_in_it_names_revision_and_file(self, repo, git, monkeypatch):
        (repo / "ticket/billing/step.json").write_bytes(b"{")
        git("commit", "--quiet", "-am", "broken")
        monkeypatch.chdir(repo.parent)
        with pytest.raises(SchemaError) as caught:
            read_baseline("HEAD", "schemas")
        assert caught.value.file == "HEAD:schemas/ticket/billing/step.json"

    def test_git_runs_as_often_for_many_files_as_for_one(self, repo, monkeypatch):
        commands = []
        run = subprocess.run
        monkeypatch.setattr(
            repository.subprocess, "run", lambda command, **more: commands.append(command) or run(command, **more)
        )
        read_baseline("main", repo)
        ran = [next(word for word in command[1:] if word[0] != "-" and "=" not in word) for command in commands]
        assert ran == ["rev-parse", "rev-parse", "for-each-ref", "rev-parse", "merge-base", "ls-tree", "cat-file"]


class TestHelp:
    """What cannot be read is said with the very command that helps."""

    def test_an_unknown_revision(self, repo):
        with pytest.raises(InputError, match="which is not here: see `git branch --all` and `git tag`"):
            read_baseline("mian", repo)

    @pytest.mark.parametrize("given", ["", "-n", "--output=x"])
    def test_an_option_is_no_revision(self, repo, given):
        with pytest.raises(InputError, match="expected a git revision, got"):
            read_baseline(given, repo) if given else revision.read_revision(given, repo, is_wanted=is_contract_file)

    @pytest.fixture
    def clone(self, repo, git, tmp_path, monkeypatch):
        def make(*options: str) -> Path:
            git("clone", "--quiet", *options, f"file://{tmp_path / 'repo'}", str(tmp_path / "clone"), at=tmp_path)
            monkeypatch.chdir(tmp_path / "clone")
            return tmp_path / "clone" / "schemas"

        return make

    def test_a_branch_that_only_the_remote_has(self, clone):
        with pytest.raises(InputError, match="say `origin/main`"):
            read_baseline("main", clone())

    def test_and_that_works(self, clone, flow, state):
        assert said(read_baseline("origin/main", clone())) == said(state(flow))

    def test_a_branch_that_was_not_fetched(self, clone, git, tmp_path):
        folder = clone("--single-branch", "--branch", "work")
        command = "git fetch origin main:refs/remotes/origin/main"
        with pytest.raises(InputError, match=f"run `{command}`, then say `origin/main`"):
            read_baseline("main", folder)
        with pytest.raises(InputError, match=f"run `{command}`$"):
            read_baseline("origin/main", folder)
        git(*command.split()[1:], at=folder)
        assert len(read_baseline("origin/main", folder).steps) == 5

    def test_a_shallow_clone(self, clone, git):
        folder = clone("--depth=1", "--no-single-branch", "--branch", "work")
        with pytest.raises(InputError, match=r"run `git fetch --unshallow`.*`fetch-depth: 0`"):
            read_baseline("origin/main", folder)
        git("fetch", "--quiet", "--unshallow", at=folder)
        assert len(read_baseline("origin/main", folder).steps) == 5

    @pytest.mark.parametrize(
        ("given", "say", "line", "steps"),
        [
            ("v2", "v2", "for a tag run `git (fetch --depth=1 origin tag v2)`;", 6),
            ("SHA", "SHA", "run `git (fetch --depth=1 origin [0-9a-f]{40})`$", 6),
            (
                "main",
                "origin/main",
                "for a branch run `git (fetch --unshallow origin main:.*)`, then say `origin/main`$",
                5,
            ),
            ("origin/main", "origin/main", "run `git (fetch --unshallow origin main:.*)`$", 5),
            ("HEAD~1", "HEAD~1", "run `git (fetch --unshallow)`$", 5),
        ],
    )
    def test_in_a_shallow_clone_one_line_is_enough(self, clone, git, given, say, line, steps):
        git("tag", "v2", "main")
        commit = git("rev-parse", "main")
        folder = clone("--depth=1", "--single-branch", "--no-tags", "--branch", "work")
        given, say = given.replace("SHA", commit), say.replace("SHA", commit)
        with pytest.raises(InputError) as caught:
            read_baseline(given, folder)
        found = re.search(line, str(caught.value))
        assert found, caught.value
        git(*found[1].split(), at=folder)
        assert len(read_baseline(say, folder).steps) == steps

    def test_in_a_whole_clone_nothing_is_cut_off(self, clone, git):
        folder = clone("--single-branch", "--no-tags", "--branch", "work")
        git("tag", "v2", "main")
        with pytest.raises(InputError, match="for a tag run `git fetch origin tag v2`;"):
            read_baseline("v2", folder)
        git("fetch", "origin", "tag", "v2", at=folder)
        assert len(read_baseline("v2", folder).steps) == 6

    def test_histories_that_have_nothing_in_common(self, repo, git):
        git("checkout", "--quiet", "--orphan", "other")
        git("commit", "--quiet", "-m", "alone")
        with pytest.raises(InputError, match=r"got none: run `git archive --output=baseline.tar main`"):
            read_baseline("main", repo)

    def test_no_repository(self, lay, flow, git, tmp_path, monkeypatch):
        folder = lay(tmp_path / "elsewhere", flow)
        monkeypatch.chdir(folder)
        with pytest.raises(InputError, match="expected a folder in a git repository: not a git repository"):
            read_baseline("main", folder)

    def test_no_git(self, repo, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(InputError, match=r"expected git, to read a revision.*or give a folder or a \.tar file"):
            read_baseline("main", repo)

    def test_a_repository_with_an_object_lost(self, repo, git, tmp_path):
        blob = git("rev-parse", "HEAD:schemas/ticket/billing/Billed.v2.avsc")
        (tmp_path / "repo/.git/objects" / blob[:2] / blob[2:]).unlink()
        with pytest.raises(InputError, match=r"expected the files of .* run `git fsck`"):
            read_baseline("HEAD", repo)
