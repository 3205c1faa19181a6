"""`pql fmt`: what it writes, what it leaves alone, and how it ends."""

import os
import stat

import pytest
from typer.testing import CliRunner

from pql.cli import app


def fmt(*args, text=None):
    return CliRunner().invoke(app, ["fmt", *map(str, args)], input=text)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ugly.pql").write_bytes(b"\xef\xbb\xbfa=1 // one\r\n")
    (tmp_path / "fine.pql").write_text("a = 1\n")
    (tmp_path / "notes.txt").write_text("a=1")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "ugly.pql").write_text("b=1")
    hidden = tmp_path / ".hidden"
    hidden.mkdir()
    (hidden / "ugly.pql").write_text("b=1")
    return tmp_path


def test_files_are_written_in_place(folder):
    os.chmod(folder / "ugly.pql", 0o640)
    result = fmt(folder)
    assert result.exit_code == 0
    assert result.stderr == "2 files reformatted, 1 file left unchanged\n"
    assert (folder / "ugly.pql").read_bytes() == b"a = 1  // one\n"
    assert stat.S_IMODE((folder / "ugly.pql").stat().st_mode) == 0o640
    assert (folder / "inner" / "ugly.pql").read_text() == "b = 1\n"
    assert (folder / ".hidden" / "ugly.pql").read_text() == "b=1"
    assert sorted(p.name for p in folder.iterdir()) == [".hidden", "fine.pql", "inner", "notes.txt", "ugly.pql"]
    assert fmt(folder).stderr == "3 files left unchanged\n"


def test_check_writes_nothing(folder):
    result = fmt("--check", folder)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"would reformat: {folder}/inner/ugly.pql",
        f"would reformat: {folder}/ugly.pql",
    ]
    assert result.stderr == "2 files would be reformatted, 1 file already formatted\n"
    assert (folder / "inner" / "ugly.pql").read_text() == "b=1"
    assert fmt("--check", folder / "fine.pql").exit_code == 0


def test_diff_shows_lines_and_writes_nothing(folder):
    result = fmt("--diff", folder / "inner")
    assert result.exit_code == 1
    assert "-b=1\n\\ No newline at end of file\n+b = 1\n" in result.stdout
    assert (folder / "inner" / "ugly.pql").read_text() == "b=1"


def test_a_broken_file_does_not_stop_the_others(folder):
    (folder / "broken.pql").write_text("a = ")
    (folder / "latin.pql").write_bytes(b"a = '\xe9'")
    result = fmt(folder)
    assert result.exit_code == 2
    assert "PQL0102" in result.stderr and "UTF-8" in result.stderr
    assert result.stderr.endswith("2 files reformatted, 1 file left unchanged, 2 files could not be formatted\n")
    assert (folder / "broken.pql").read_text() == "a = "


def test_a_link_stays_a_link(folder):
    (folder / "link.pql").symlink_to(folder / "inner" / "ugly.pql")
    assert fmt(folder / "link.pql").exit_code == 0
    assert (folder / "link.pql").is_symlink()
    assert (folder / "inner" / "ugly.pql").read_text() == "b = 1\n"


def test_standard_input():
    assert fmt("-", text="a=1").stdout == "a = 1\n"
    assert fmt("-", text="a=1").exit_code == 0
    assert fmt("-", "--check", text="a=1").exit_code == 1
    assert fmt("-", "--check", text="a = 1\n").exit_code == 0
    broken = fmt("-", text="a=")
    assert (broken.exit_code, broken.stdout) == (2, "")
    assert "PQL0102" in broken.stderr


@pytest.mark.parametrize("args", [["-", "x.pql"], ["missing.pql"], ["."]])
def test_could_not_run(args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = fmt(*args)
    assert result.exit_code == 2
    assert "error" in result.stderr
