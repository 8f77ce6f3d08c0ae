from __future__ import annotations

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from batchanator.domain.errors import NotFoundError
from batchanator.ingest import paths
from batchanator.ingest.paths import resolve

WAYS = ["beneath", "compared"] if os.name == "posix" else ["compared"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of opening, wherever both work."""
    monkeypatch.setattr(paths, "_BENEATH", request.param == "beneath")
    return str(request.param)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with good files, and everything else that a path may name."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    for good in (root / "top.ndjson", root / "a" / "b" / "deep.ndjson", root / "ünï codé.ndjson"):
        good.write_bytes(b"good")
    for bad in (outside / "secret", tmp_path / "secret", tmp_path / "root-of-another"):
        bad.write_bytes(b"secret")
    (root / "link-out").symlink_to(outside / "secret")
    (root / "link-in").symlink_to(root / "top.ndjson")
    (root / "link-relative").symlink_to("../secret")
    (root / "link-nowhere").symlink_to("nothing")
    (root / "link-loop").symlink_to("link-loop")
    (root / "link-null").symlink_to("/dev/null")
    (root / "dir-out").symlink_to(outside)
    (root / "dir-in").symlink_to(root / "a")
    os.mkfifo(root / "fifo")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root)  # a socket's path is short
    server.bind("socket")
    os.chdir(here)
    server.close()
    return root


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("top.ndjson", "top.ndjson"),
        ("./top.ndjson", "top.ndjson"),
        ("a/b/deep.ndjson", "a/b/deep.ndjson"),
        ("a//b/./deep.ndjson", "a/b/deep.ndjson"),
        ("ünï codé.ndjson", "ünï codé.ndjson"),
        ("{root}/top.ndjson", "top.ndjson"),
        ("{root}/a/b/deep.ndjson", "a/b/deep.ndjson"),
    ],
)
def test_regular_files_below_a_root_are_opened(tree: Path, way: str, path: str, name: str) -> None:
    found = resolve(path.format(root=tree), [tree])
    with found.file as file:
        assert file.read() == b"good"
    status = (tree / name).stat()
    identity = found.identity
    assert (identity.path, identity.host) == (name, socket.gethostname())
    assert (identity.device, identity.inode) == (status.st_dev, status.st_ino)
    assert (identity.size, identity.mtime_ns) == (4, status.st_mtime_ns)


REFUSED = [
    "", ".", "/", "./", "..", "nothing", "a", "a/", "a/b", "a/..", "a/nothing", "top.ndjson/",
    "top.ndjson/x",
    "../secret", "../outside/secret", "a/../../secret", "a/../top.ndjson", "./../root/top.ndjson", "~/x",
    "{parent}/secret", "{root}/../secret", "{root}", "{root}/", "{parent}/root-of-another",
    "/{root}/top.ndjson",
    "link-out", "link-in", "link-relative", "link-nowhere", "link-loop", "link-null",
    "dir-out/secret", "dir-in/b/deep.ndjson", "{root}/dir-out/secret",
    "fifo", "socket", "/dev/zero", "/dev/stdin", "/proc/self/environ", "/etc/passwd",
    "top.ndjson\0", "\0", "a\0/../top.ndjson", "file://{root}/top.ndjson",
    "http://localhost/x", "file:top.ndjson",
    "\\\\host\\share\\x", "\\\\?\\C:\\x", "C:\\x", "a\\b\\deep.ndjson", "top.ndjson:stream", "\ud800",
    "x" * 300, "x/" * 3000 + "x", "..%2fsecret", "%2e%2e/secret",
]  # fmt: skip


@pytest.mark.parametrize("path", REFUSED)
def test_everything_else_gets_the_same_words(tree: Path, way: str, path: str) -> None:
    with pytest.raises(NotFoundError, match=r"^no such file under a source root$"):
        resolve(path.replace("{root}", str(tree)).replace("{parent}", str(tree.parent)), [tree])


def test_a_file_without_permission_gets_the_same_words(
    tree: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def forbidden(path: str | Path, flags: int, *, dir_fd: int | None = None) -> int:
        if str(path).endswith("top.ndjson"):
            raise PermissionError(errno.EACCES, "forbidden")
        return real_open(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(NotFoundError, match=r"^no such file under a source root$"):
        resolve("top.ndjson", [tree])


def test_no_descriptors_left_is_not_the_paths_fault(
    tree: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "open", exhausted)
    with pytest.raises(OSError, match="too many"):
        resolve("top.ndjson", [tree])


def test_roots_are_asked_in_order_and_may_be_symlinks_or_missing(tree: Path, way: str) -> None:
    other = tree.parent / "other"
    other.mkdir()
    (other / "top.ndjson").write_bytes(b"other")
    link = tree.parent / "link"
    link.symlink_to(other)
    for roots, content in (
        ([other, tree], b"other"),
        ([tree, other], b"good"),
        ([Path("/nowhere"), link], b"other"),
    ):
        with resolve("top.ndjson", roots).file as file:
            assert file.read() == content
    with resolve("a/b/deep.ndjson", [link, tree]).file as file:
        assert file.read() == b"good"
    for path in (link / "top.ndjson", other / "top.ndjson"):  # by either name of the root
        with resolve(str(path), [link]).file as file:
            assert file.read() == b"other"
    with pytest.raises(NotFoundError):
        resolve("top.ndjson", [])
    with pytest.raises(NotFoundError):
        resolve("top.ndjson", [tree / "top.ndjson"])


def test_a_relative_root_is_below_the_working_directory(
    tree: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.parent)
    for path in ("top.ndjson", str(tree / "top.ndjson")):
        with resolve(path, [Path("root")]).file as file:
            assert file.read() == b"good"


@pytest.mark.skipif("beneath" not in WAYS, reason="only descriptors of directories exclude this race")
def test_a_directory_swapped_for_a_symlink_never_leads_outside(tree: Path) -> None:
    """A thread swaps a directory and a link to the secrets as fast as it can."""
    swapped, good = tree / "swap", tree / "good"
    good.mkdir()
    (good / "secret").write_bytes(b"good")
    (tree / "bad").symlink_to(tree.parent / "outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            good.rename(swapped)
            swapped.rename(good)
            (tree / "bad").rename(swapped)
            swapped.rename(tree / "bad")

    thread = threading.Thread(target=swap)
    thread.start()
    contents, refused = set(), 0
    try:
        for _ in range(20_000):
            try:
                with resolve("swap/secret", [tree]).file as file:
                    contents.add(file.read())
            except NotFoundError:
                refused += 1
    finally:
        stop.set()
        thread.join()
    assert contents == {b"good"}
    assert refused


def test_no_descriptor_is_lost(tree: Path, way: str) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else 0

    before = count()
    for path in ("a/b/deep.ndjson", "fifo", "a/b", "link-out", "dir-out/secret", "a/nothing", "socket"):
        try:
            resolve(path, [tree]).file.close()
        except NotFoundError:
            continue
    assert count() == before
