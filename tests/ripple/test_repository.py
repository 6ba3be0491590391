"""A change must not decide over its own check: nothing in the checked-out files takes the place of what it is compared with, or runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from stamp.errors import ContractError, InputError, StampError
from stamp.ripple import contracts_of, read_baseline, read_folder
from stamp.ripple.example import files
from stamp.ripple.repository import left_out

ORDER = {"emits": {"Ordered": "Order"}, "writes": {"Order.v1": {"id": "string"}}}
BILL = {"on": ["Ordered"], "reads": {"order": {"id": "string"}}}
LONG = {"emits": {"Ordered": "Order"}, "writes": {"Order.v1": {"id": "long"}}}


def said(contracts):
    """Return all that the files of a state say."""
    return {(key, name): file.value for key, found in contracts.files.items() for name, file in found.items()}


BASE = said(contracts_of(files({"order": ORDER, "bill": BILL}), name="base"))


@pytest.fixture
def top(git, lay, tmp_path):
    """The top of a repository: `main`, and a branch that has edited a released version."""
    top = tmp_path / "repo"
    lay(top / "schemas", {"order": ORDER, "bill": BILL})
    commit(git, "base")
    git("checkout", "--quiet", "-b", "work")
    lay(top / "schemas", {"order": LONG})
    commit(git, "edited")
    return top


def commit(git, text, **more):
    git("add", "--all", **more)
    git("commit", "--quiet", "--message", text, **more)


@pytest.fixture
def trap(tmp_path):
    """A command that leaves a trace, and whether it has."""
    trace = tmp_path / "trace"
    command = tmp_path / "trap"
    command.write_text(f"#!/bin/sh\ntouch '{trace}'\nexit 1\n")
    command.chmod(0o755)
    return command, trace.exists


def traps(command):
    """Return settings of git that name a program, all of them."""
    return f"""
[core]
\tfsmonitor = {command}
\tsshCommand = {command}
\thooksPath = {command.parent / "hooks"}
\taskPass = {command}
\tgitProxy = {command}
\tpager = {command}
\talternateRefsCommand = {command}
[extensions]
\tpartialClone = elsewhere
[remote "elsewhere"]
\turl = ext::{command} %S
\tuploadpack = {command}
\tpromisor = true
\tpartialclonefilter = blob:none
[remote "near"]
\turl = {command.parent / "repo"}
\tuploadpack = {command}
\tpromisor = true
[protocol]
\tallow = always
[protocol "ext"]
\tallow = always
[alias]
\trev-parse = !{command}
\tls-tree = !{command}
[diff]
\texternal = {command}
[diff "avro"]
\ttextconv = {command}
[filter "avro"]
\tsmudge = {command}
\tclean = {command}
[credential]
\thelper = {command}
[safe]
\tdirectory = *
"""


@pytest.fixture
def fake(git, lay, tmp_path):
    """A repository whose `main` says what the branch says."""
    home = tmp_path / "fake"
    home.mkdir()
    git("init", "--quiet", "--initial-branch=main", at=home)
    for folder in (home, home / "schemas"):
        lay(folder, {"order": LONG, "bill": BILL})
    commit(git, "fake", at=home)
    return home / ".git"


class TestFakeRepository:
    @pytest.mark.parametrize("form", ["bare", "commondir"])
    def test_a_contracts_folder_that_is_one_is_read_as_a_folder(self, top, fake, trap, form):
        command, is_sprung = trap
        if form == "bare":
            shutil.copytree(fake, top / "schemas", dirs_exist_ok=True)
        else:
            shutil.copytree(fake, top / "innocent")
            (top / "schemas/HEAD").write_text("ref: refs/heads/main\n")
            (top / "schemas/commondir").write_text("../innocent\n")
        with (top / ("schemas" if form == "bare" else "innocent") / "config").open("a") as config:
            config.write(traps(command).replace("[core]", "[core]\n\tbare = true"))
        assert said(read_baseline("main", "schemas")) == BASE
        assert not is_sprung()

    def test_inside_of_one_nothing_is_read(self, top, fake, monkeypatch):
        shutil.copytree(fake, top / "schemas", dirs_exist_ok=True)
        monkeypatch.chdir(top / "schemas")
        with pytest.raises(InputError, match=r"within a bare one, or what looks like one. Run the command at the top"):
            read_baseline("main", ".")

    @pytest.mark.parametrize("given", ["main", "origin/main", "main.tar"])
    @pytest.mark.parametrize("form", ["bare", "no git", "broken", "elsewhere", "another"])
    def test_where_git_cannot_say_what_is_a_revision_no_folder_is_taken_for_none(
        self, top, git, lay, given, form, monkeypatch, tmp_path
    ):
        home = top / "services/x"
        lay(home / "schemas", {"order": LONG, "bill": BILL})
        lay(home / given, {"order": LONG, "bill": BILL})
        monkeypatch.chdir(home)
        match form:
            case "bare":
                for name in ("objects", "refs"):
                    (home / name).mkdir()
                    (home / name / "k").touch()
                (home / "HEAD").write_text("ref: refs/heads/main\n")
            case "no git":
                monkeypatch.setenv("PATH", "/nowhere")
            case "broken":
                (top / ".git/HEAD").write_text("nonsense")
            case "elsewhere":
                monkeypatch.chdir(tmp_path)
                lay(tmp_path / given, {"order": LONG})
                monkeypatch.setenv("GIT_DIR", str(tmp_path / "gone"))
            case "another":
                (home / ".git").write_text("gitdir: /nowhere")
        with pytest.raises(InputError, match=f"perhaps a revision, too: say ./{given} for the folder"):
            read_baseline(given, "schemas")
        assert read_baseline(f"./{given}", "schemas").steps

    def test_where_there_is_no_repository_nothing_is_a_revision(self, git, lay, tmp_path, monkeypatch):
        lay(tmp_path / "main", {"order": LONG})
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PATH", "/nowhere")
        assert len(read_baseline("main", "schemas").steps) == 1

    def test_nor_by_a_git_that_takes_any_folder_for_one(self, top, fake, monkeypatch):
        shutil.copytree(fake, top / "schemas", dirs_exist_ok=True)
        (top / "schemas/config").write_text(f"[core]\n\tbare = false\n\tworktree = {top}\n")
        monkeypatch.chdir(top / "schemas")
        monkeypatch.setattr("stamp.ripple.repository.SETTINGS", {})
        with pytest.raises(InputError, match="within a bare one"):
            read_baseline("main", ".")

    @pytest.mark.parametrize(
        ("at", "form"),
        [
            ("schemas", "file"),
            ("schemas", "folder"),
            ("schemas", "link"),
            ("schemas/shop", "file"),
            ("schemas/shop/order", "folder"),
        ],
    )
    def test_what_has_a_git_of_its_own_is_refused(self, top, fake, at, form):
        mark = top / at.replace("shop", "ticket") / ".git"
        match form:
            case "file":
                mark.write_text(f"gitdir: {fake}\n")
            case "folder":
                shutil.copytree(fake, mark)
            case "link":
                mark.symlink_to(fake)
        with pytest.raises(StampError, match=r"another repository"):
            read_baseline("main", "schemas") if at == "schemas" else read_folder("schemas")

    def test_a_submodule_is_said_to_be_one(self, top, git, fake):
        git("rm", "-r", "--quiet", "schemas")
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(fake), "schemas")
        with pytest.raises(InputError, match="got schemas, which is a submodule: run the command in there"):
            read_baseline("main", "schemas")
        commit(git, "moved out")
        git("submodule", "--quiet", "deinit", "--force", "schemas")
        with pytest.raises(
            InputError, match=r"got a submodule, schemas: .* run `git -C schemas archive --output=baseline.tar"
        ):
            read_baseline("HEAD", "schemas")
        with pytest.raises(InputError, match=r"got a submodule, schemas"):
            read_baseline("HEAD", "schemas/inner")

    def test_the_advice_for_a_submodule_helps(self, top, git, fake, monkeypatch):
        git("rm", "-r", "--quiet", "schemas")
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(fake), "parts")
        commit(git, "moved out")
        shutil.move(top / "parts", top / "aside")
        with pytest.raises(InputError) as caught:
            read_baseline("HEAD", "parts/schemas")
        shutil.move(top / "aside", top / "parts")
        git(*caught.value.message.split("`")[1].split()[1:])
        assert len(read_baseline("parts/baseline.tar", "parts/schemas").steps) == 2
        monkeypatch.chdir(top / "parts")
        assert len(read_baseline("HEAD", "schemas").steps) == 2

    def test_contracts_elsewhere_are_none_of_this_repository(self, top, fake, tmp_path):
        with pytest.raises(
            InputError, match=r"expected contracts in the repository of the current folder, .*repo, got others"
        ):
            read_baseline("main", fake.parent / "schemas")
        with pytest.raises(InputError, match="got others"):
            read_baseline("main", tmp_path)

    @pytest.mark.parametrize("at", [".", "schemas", "schemas/ticket/order"])
    @pytest.mark.parametrize("is_absolute", [False, True])
    def test_from_any_folder_of_it(self, top, monkeypatch, at, is_absolute):
        monkeypatch.chdir(at)
        up = Path(*[".."] * len(Path(at).parts))
        assert said(read_baseline("main", top / "schemas" if is_absolute else up / "schemas")) == BASE

    def test_through_a_link_to_the_work_tree(self, top, tmp_path):
        (tmp_path / "link").symlink_to(top)
        assert said(read_baseline("main", tmp_path / "link/schemas")) == BASE


class TestSettings:
    def test_none_that_names_a_program_holds(self, top, git, trap):
        command, is_sprung = trap
        blob = git("rev-parse", "HEAD:schemas/ticket/order/Order.v1.avsc")
        (command.parent / "hooks").mkdir()
        for hook in ("reference-transaction", "post-index-change", "fsmonitor-watchman", "post-checkout"):
            shutil.copy(command, command.parent / "hooks" / hook)
        (top / ".gitattributes").write_text("*.avsc diff=avro filter=avro\n")
        (top / ".gitconfig").write_text(traps(command))
        git("config", "include.path", "../.gitconfig")
        assert said(read_baseline("main", "schemas")) == BASE
        (top / ".git/info/sparse-checkout").write_text("/*\n")
        assert said(read_baseline("main~0", "schemas")) == BASE
        lost = top / ".git/objects" / blob[:2] / blob[2:]
        lost.unlink()
        with pytest.raises(
            InputError, match=r"got a partial clone, which has left them to elsewhere: run `git fetch --refetch"
        ):
            read_baseline("HEAD", "schemas")
        assert not is_sprung()

    def test_no_replaced_object_and_no_graft_counts(self, top, git):
        git("replace", "main", "work")
        assert said(read_baseline("main", "schemas")) == BASE
        tip = git("rev-parse", "work")
        (top / ".git/info/grafts").write_text(f"{tip}\n")
        assert said(read_baseline("main", "schemas")) == BASE


HOOKS = [
    ("exec", "."),
    ("cd schemas && exec", "."),
    ("cd schemas/ticket && exec", "../../schemas"),
    ('GIT_WORK_TREE="$PWD" exec', "schemas"),
]


@pytest.mark.parametrize(("where", "line", "folder"), [("main", "exec", "."), *(("linked", *each) for each in HOOKS)])
def test_in_a_hook_the_baseline_is_the_same(top, git, lay, where, line, folder, tmp_path):
    home = top
    if where == "linked":
        git("worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
        home = tmp_path / "linked"
    script = "import sys; from stamp.ripple import read_baseline; print(len(read_baseline('main', sys.argv[1]).steps))"
    folder = "schemas" if line == "exec" else folder
    hook = top / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{line} {sys.executable} -c \"{script}\" {folder} > '{tmp_path}/said' 2>&1\n")
    hook.chmod(0o755)
    lay(home / "schemas", {"bill": {**BILL, "ends": []}, "new": {"on": ["Ordered"]}})
    commit(git, "from a hook", at=home)
    assert (tmp_path / "said").read_text() == "2\n"


def test_a_git_dir_of_another_repository_is_refused(top, fake, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(fake))
    with pytest.raises(InputError, match=r"GIT_DIR=.*, which is another one: unset GIT_DIR, or set GIT_WORK_TREE, too"):
        read_baseline("main", "schemas")


def test_a_git_dir_and_its_work_tree_are_taken(top, git, lay, tmp_path, monkeypatch):
    shutil.move(top / ".git", tmp_path / "apart")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "apart"))
    monkeypatch.setenv("GIT_WORK_TREE", str(top))
    assert said(read_baseline("main", "schemas")) == BASE


class TestNames:
    NO_COMMITS = (
        *("^HEAD", "^main", "--upload-pack=touch x", "-x", "--all", "HEAD..main", "main...HEAD", "main.."),
        *(":/base", ":schemas", ":0:schemas", "HEAD:schemas", "HEAD^{/base}", "main^!", "main^@", "main^-", "main^-1"),
        *("main\n", "main main", "\0", "main\x1b[1m", "main ^work", "HEAD^{tree}", "main@{}", "\udcff"),
    )

    def test_what_is_no_single_commit_is_refused(self, top):
        for given in self.NO_COMMITS:
            with pytest.raises(InputError, match="expected a git revision, got"):
                read_baseline(given, "schemas")

    def test_what_looks_like_a_path_is_no_revision(self, top):
        for given in ("./main", "../x", "..main", "/nowhere", "./base.tar"):
            with pytest.raises(InputError, match=r"expected a (folder or a )?\.tar file"):
                read_baseline(given, "schemas")

    def test_no_name_is_too_long(self, top):
        with pytest.raises(InputError, match="which is not here"):
            read_baseline("a" * 5000, "schemas")

    @pytest.mark.parametrize(
        ("tag", "given"), [("origin/main", "origin/main"), ("main", "main~0"), ("v1", "v1"), ("SHORT", "SHORT")]
    )
    def test_a_tag_does_not_take_the_place_of_what_has_its_name(self, top, git, tag, given):
        git("update-ref", "refs/remotes/origin/main", "main")
        git("branch", "v1", "main")
        short = git("rev-parse", "--short=8", "main")
        git("tag", tag.replace("SHORT", short), "work")
        with pytest.raises(
            InputError, match=r"expected the name of one thing, got .*, which several have: say one of refs/"
        ):
            read_baseline(given.replace("SHORT", short), "schemas")

    def test_its_long_name_is_taken(self, top, git):
        git("update-ref", "refs/remotes/origin/main", "main")
        git("tag", "origin/main", "work")
        assert said(read_baseline("refs/remotes/origin/main", "schemas")) == BASE

    @pytest.mark.parametrize("given", ["main", "origin/main", "HEAD~1"])
    def test_nor_does_a_folder_or_a_file(self, top, git, lay, given):
        git("update-ref", "refs/remotes/origin/main", "main")
        lay(top / given, {"order": LONG, "bill": BILL})
        with pytest.raises(InputError, match=f"which is a revision and a folder, too: say ./{given} for the folder"):
            read_baseline(given, "schemas")
        assert len(read_baseline(f"./{given}", "schemas").steps) == 2
        shutil.rmtree(top / given)
        (top / given).write_text("x")
        with pytest.raises(InputError, match=f"which is a revision and a file, too: say ./{given} for the file"):
            read_baseline(given, "schemas")

    @pytest.mark.parametrize("given", ["refs/heads/main", "refs/remotes/origin/main", "refs/tags/base.tar"])
    @pytest.mark.parametrize("kind", ["folder", "file"])
    def test_a_long_name_is_a_revision_whatever_else_has_it(self, top, git, lay, given, kind):
        git("update-ref", "refs/remotes/origin/main", "main")
        git("tag", "base.tar", "main")
        if kind == "folder":
            lay(top / given, {"order": LONG, "bill": BILL})
        else:
            (top / given).parent.mkdir(parents=True)
            (top / given).write_text("x")
        assert said(read_baseline(given, "schemas")) == BASE

    @pytest.mark.parametrize(
        ("given", "say"),
        [
            ("refs/remotes/origin/other", "run `git fetch origin other:refs/remotes/origin/other`"),
            ("refs/tags/v7", "run `git fetch origin tag v7`"),
            ("refs/heads/other", "then say `origin/other`"),
            ("refs/heads/main", "say `origin/main`"),
            ("refs/old", "or say ./refs/old for the folder or the file"),
        ],
    )
    def test_and_a_folder_never_takes_the_place_of_one_that_is_not_here(
        self, top, git, lay, given, say, tmp_path, monkeypatch
    ):
        git("clone", "--quiet", "--branch=work", str(top), str(tmp_path / "clone"), at=tmp_path)
        monkeypatch.chdir(tmp_path / "clone")
        lay(tmp_path / "clone" / given, {"order": LONG, "bill": BILL})
        with pytest.raises(InputError, match="which is not here") as caught:
            read_baseline(given, "schemas")
        assert say in caught.value.message
        assert len(read_baseline(f"./{given}", "schemas").steps) == 2


PLACES = [
    "",
    "order",
    "order/step.json",
    "order/Order.v1.avsc",
    "order/Order.v9.avsc",
    "bill/reads",
    "bill/reads/order.avsc",
    "new",
]
TARGETS = ["inside", "outside", "absolute", "nothing", "itself", "secret"]


class TestLinks:
    """One rule for both: what lies in the work tree, and what lies in a revision."""

    @pytest.fixture
    def linked(self, top, tmp_path):
        def link(place, target):
            path = top / "schemas/ticket" / place
            aside = top / "aside"
            if path.exists():
                path.rename(aside)
            else:
                aside.write_text("{}")
            secret = tmp_path / "secret.json"
            secret.write_text('{"password": "hunter2"}')
            targets = {
                "inside": Path(*[".."] * (len(path.relative_to(top).parts) - 1), "aside"),
                "outside": Path(*[".."] * len(path.relative_to(top).parts), "secret.json"),
                "absolute": aside,
                "nothing": Path("gone"),
                "itself": Path(path.name),
                "secret": secret,
            }
            path.symlink_to(targets[target])
            return path

        return link

    @pytest.mark.parametrize(
        ("place", "target"),
        [
            *((place, "secret") for place in PLACES),
            *(("order/Order.v1.avsc", target) for target in TARGETS),
            ("bill/reads", "itself"),
        ],
    )
    def test_none_is_a_contract(self, top, git, linked, place, target):
        path = linked(place, target)
        commit(git, "link")
        with pytest.raises(ContractError, match="got a symbolic link: put the contract itself here") as tree:
            read_folder("schemas")
        with pytest.raises(ContractError, match="got a symbolic link: put the contract itself here") as revision:
            read_baseline("HEAD", "schemas")
        inside = path.relative_to(top)
        assert (tree.value.file, revision.value.file) == (str(inside), f"HEAD:{inside}")
        assert "hunter2" not in f"{tree.value}{revision.value}"

    def test_elsewhere_they_may_be(self, top, git):
        for name in ("README.md", "ticket/notes.txt", "ticket/order/old.json", "stamp", ".hidden"):
            (top / "schemas" / name).symlink_to("/etc/passwd")
        commit(git, "link")
        assert len(read_folder("schemas").steps) == len(read_baseline("HEAD", "schemas").steps) == 2

    def test_a_folder_on_the_way_is_none_either(self, top, git):
        (top / "schemas").rename(top / "real")
        (top / "schemas").symlink_to("real")
        commit(git, "link")
        for given in ("main", "HEAD"):
            with pytest.raises(InputError, match="got schemas, a symbolic link: say the folder that it leads to"):
                read_baseline(given, "schemas")
        (top / "schemas").unlink()
        with pytest.raises(InputError, match="got a symbolic link, schemas: say the folder that it leads to"):
            read_baseline("HEAD", "schemas")

    def test_a_view_that_the_baseline_lacks_is_not_looked_for_here(self, top, git, monkeypatch):
        git("rm", "--quiet", "--cached", "schemas/ticket/bill/reads/order.avsc")
        git("commit", "--quiet", "-m", "lost")
        planted = top / "HEAD:schemas/ticket/bill/reads/order.avsc"
        planted.parent.mkdir(parents=True)
        shutil.copy(top / "schemas/ticket/bill/reads/order.avsc", planted)
        with pytest.raises(
            ContractError, match=r'expected the view that "reads" in step.json names, got no such file'
        ) as caught:
            read_baseline("HEAD", "schemas")
        assert caught.value.file == "HEAD:schemas/ticket/bill/reads/order.avsc"


class TestAdvice:
    """Each line is tried: what it says helps."""

    def test_a_partial_clone(self, top, git, tmp_path, monkeypatch):
        git("config", "uploadpack.allowFilter", "true")
        git(
            "clone",
            "--quiet",
            "--filter=blob:none",
            "--branch=work",
            f"file://{top}",
            str(tmp_path / "clone"),
            at=tmp_path,
        )
        monkeypatch.chdir(tmp_path / "clone")
        with pytest.raises(InputError, match="got a partial clone") as caught:
            read_baseline("origin/main", "schemas")
        command = caught.value.message.split("`")[1]
        assert command == "git fetch --refetch --no-filter origin"
        git(*command.split()[1:], at=tmp_path / "clone")
        assert said(read_baseline("origin/main", "schemas")) == BASE

    def test_a_partial_clone_whose_remote_is_gone(self, top, git, tmp_path, monkeypatch):
        git("config", "uploadpack.allowFilter", "true")
        git(
            "clone",
            "--quiet",
            "--filter=tree:0",
            "--branch=work",
            f"file://{top}",
            str(tmp_path / "clone"),
            at=tmp_path,
        )
        top.rename(tmp_path / "gone")
        monkeypatch.chdir(tmp_path / "clone")
        with pytest.raises(
            InputError, match=r"If that is gone, run `git archive --output=baseline.tar [0-9a-f]{10}` in a whole clone"
        ) as caught:
            read_baseline("origin/main", "schemas")
        git(*caught.value.message.split("`")[3].split()[1:], at=tmp_path / "gone")
        assert said(read_baseline(str(tmp_path / "gone/baseline.tar"), "schemas")) == BASE

    def test_a_branch_without_an_upstream(self, top, git):
        for given in ("@{upstream}", "@{u}", "work@{u}", "@{push}", "@{U}~1"):
            with pytest.raises(
                InputError, match=r"(no upstream|no remote|push).*\. Say the branch itself, such as main"
            ):
                read_baseline(given, "schemas")
        git("remote", "add", "origin", str(top))
        git("fetch", "--quiet", "origin")
        with pytest.raises(
            InputError, match=r"Say origin/BRANCH, or set one with `git (branch --set-upstream-to=origin)/BRANCH`"
        ) as caught:
            read_baseline("@{u}", "schemas")
        git(*caught.value.message.split("`")[1].replace("BRANCH", "main").split()[1:])
        assert said(read_baseline("@{upstream}", "schemas")) == BASE

    def test_no_branch_at_all(self, top, git):
        git("checkout", "--quiet", "--detach")
        with pytest.raises(InputError, match=r"HEAD does not point to a branch. Say the branch itself, such as main"):
            read_baseline("@{upstream}", "schemas")

    def test_a_history_that_is_not_that_long(self, top):
        with pytest.raises(
            InputError, match=r"only has .* entries. That is a history of this clone alone: say a branch"
        ):
            read_baseline("HEAD@{99}", "schemas")

    def test_nothing_committed(self, git, lay, tmp_path):
        lay(tmp_path / "repo/schemas", {"order": ORDER})
        for given in ("HEAD", "HEAD~1", "@"):
            with pytest.raises(InputError, match="which is not here: nothing has been committed yet"):
                read_baseline(given, "schemas")

    def test_a_commit_before_the_first_one(self, top):
        with pytest.raises(InputError, match="which is not here: see `git log HEAD` for those that are"):
            read_baseline("HEAD~99", "schemas")

    @pytest.mark.parametrize("kept", ["src", "schemas/ticket/order"])
    def test_a_sparse_checkout(self, top, git, kept):
        (top / "src").mkdir()
        (top / "src/x").write_text("x")
        commit(git, "more")
        git("sparse-checkout", "set", kept)
        with pytest.raises(
            InputError, match="got some that are left out: run `git sparse-checkout add schemas`"
        ) as caught:
            read_baseline("main", "schemas")
        git(*caught.value.message.split("`")[1].split()[1:])
        assert said(read_baseline("main", "schemas")) == BASE

    def test_a_submodule_that_is_not_checked_out(self, top, git, fake):
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(fake), "parts")
        assert left_out(Path("parts/schemas")) is None
        git("submodule", "--quiet", "deinit", "--force", "parts")
        for folder in ("parts", "parts/schemas", str(top / "parts/schemas")):
            assert left_out(Path(folder)) == "git submodule update --init parts"
        (top / "empty").mkdir()
        assert left_out(Path("empty/schemas")) is None

    def test_from_outside_of_the_repository(self, top, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InputError, match=r"not a git repository .* Run the command in that of the contracts"):
            read_baseline("main", "repo/schemas")

    def test_a_loop_of_links(self, top, tmp_path):
        (tmp_path / "one").symlink_to("two")
        (tmp_path / "two").symlink_to("one")
        with pytest.raises(InputError, match="got others"):
            read_baseline("main", tmp_path / "one/schemas")

    def test_a_remote_whose_own_branch_is_not_known(self, top, git, tmp_path, monkeypatch):
        git("clone", "--quiet", "--branch=work", str(top), str(tmp_path / "clone"), at=tmp_path)
        git("checkout", "--quiet", "main")
        monkeypatch.chdir(tmp_path / "clone")
        git("remote", "set-head", "origin", "--delete", at=tmp_path / "clone")
        with pytest.raises(InputError, match=r"run `git remote set-head origin --auto`, or say a branch") as caught:
            read_baseline("origin/HEAD", "schemas")
        git(*caught.value.message.split("`")[1].split()[1:], at=tmp_path / "clone")
        assert said(read_baseline("origin/HEAD", "schemas")) == BASE
