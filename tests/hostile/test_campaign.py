"""The hostile campaign in small; and that it would tell."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hostile_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def schemas():
    return loaded("schemas")


@pytest.fixture
def campaign():
    return loaded("campaign")


def test_the_campaign_in_small_finds_nothing(campaign):
    command = [sys.executable, HERE / "campaign.py", "--scale", "0.001", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(campaign.PARTS)} portions" in done.stdout
    for part in campaign.PARTS:
        assert f"  {part.program}: " in done.stdout


def test_its_portions_are_all_of_it_and_each_is_another_one(campaign):
    names = [each.program for each in campaign.PARTS]
    found = list(campaign.portions(1.0, 3, names))
    for part in campaign.PARTS:
        assert sum(each.count for each in found if each.program == part.program) == part.count
    assert len(set(found)) == len(found)
    assert set(found).isdisjoint(campaign.portions(1.0, 4, names))


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("raise SystemExit('--seed 1 --number 3: KeyError')", 1),
        ("import os; os.kill(os.getpid(), 11)", -11),
        ("bytearray(3 << 30)", 1),
    ],
)
def test_a_finding_is_told_with_the_line_that_does_it_again(campaign, tmp_path, monkeypatch, capfd, program, status):
    (tmp_path / "schemas.py").write_text(program)
    monkeypatch.setattr(campaign, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["campaign.py", "--scale", "0.01", "--only", "schemas"])
    assert campaign.main() == 1
    said = capfd.readouterr().err
    assert f"exit status {status}, again: python {tmp_path}/schemas.py --count 440 --seed 1000" in said


def test_one_that_hangs_is_a_finding(campaign, tmp_path, monkeypatch):
    (tmp_path / "schemas.py").write_text("while True: pass")
    monkeypatch.setattr(campaign, "HERE", tmp_path)
    monkeypatch.setattr(campaign, "PATIENCE", 0.2)
    assert campaign.perform(campaign.Portion("schemas", 1, 1)).returncode == 124


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def read_0(b, p, end, d):  # 'record x'\n    v0 = 'os.system'\n    return {'__import__': v0}, p", None),
        ("def read_0(b, p, end, d):\n    return os, p", "the name os"),
        ("def read_0(b, p, end, d):\n    import os", "Import"),
        ("def read_0(b, p, end, d):\n    return b.__class__, p", "the attribute __class__"),
        ("def read_0(b, p, end, d):\n    return f'{b}', p", "JoinedStr"),
        ("def read_0(b, p, end, d):\n    return d, p\ndef evil(): pass", "the name evil"),
    ],
)
def test_foreign_text_in_code_is_seen(schemas, source, found):
    assert next(schemas.foreign(source), None) == found


def test_foreign_text_that_became_code_is_a_finding(schemas, monkeypatch):
    def careless(writer, *readers):
        made = decoder(writer, *readers)
        made.source += f"# {schemas.load(writer).name}\nos\n"
        return made

    decoder = schemas.decoder
    monkeypatch.setattr(schemas, "decoder", careless)
    findings = schemas.run(60, 1).findings
    assert findings
    assert all("the name os in generated code" in each for each in findings)


def test_another_value_is_a_finding(schemas, monkeypatch):
    encode = schemas.encode
    monkeypatch.setattr(schemas, "encode", lambda type_, datum: encode(type_, datum) + b"\0")
    assert any("what was encoded is not read" in each for each in schemas.run(60, 1).findings)


def test_what_takes_too_long_is_a_finding(schemas, monkeypatch):
    monkeypatch.setattr(schemas, "LEAST", 1e-9)
    monkeypatch.setattr(schemas, "EACH", 1e-9)
    assert any(" s for a schema of this size" in each for each in schemas.run(20, 1).findings)
