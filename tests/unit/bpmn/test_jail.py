"""The walls around the workers: what each stops, and that workers live behind all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.bpmn import jail, sandbox

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the jail is for Linux")
JAIL = jail.__file__


def decide(machine: str, audit: int, call: int, *arguments: int) -> int:
    """What the filter answers, worked out as the kernel would."""
    words = {0: call, 4: audit}
    for number, each in enumerate((*arguments, 0, 0, 0, 0, 0, 0)[:6]):
        words[16 + 8 * number] = each & 0xFFFFFFFF
        words[20 + 8 * number] = each >> 32
    code, at, value = jail.program(machine, 77), 0, 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        if operation == 0x20:
            value = words[k]
        elif operation == 0x54:
            value &= k
        elif operation == 0x15:
            at += yes if value == k else no
        else:
            return k


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000
X86, ARM = ("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)


@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        # numbers on x86_64 and aarch64
        ((0, 63), (), ALLOW),  # read
        ((41, 198), (), EPERM),  # socket
        ((42, 203), (), EPERM),  # connect
        ((59, 221), (), EPERM),  # execve
        ((101, 117), (), EPERM),  # ptrace
        ((62, 129), (), EPERM),  # kill
        ((16, 29), (), EPERM),  # ioctl
        ((310, 270), (), EPERM),  # process_vm_readv
        ((321, 280), (), EPERM),  # bpf
        ((425, 425), (), EPERM),  # io_uring_setup
        ((165, 40), (), EPERM),  # mount
        ((435, 435), (), ENOSYS),  # clone3
        ((56, 220), (0x3D0F00,), ALLOW),  # clone, a thread
        ((56, 220), (17,), EPERM),  # clone, a process
        ((9, 222), (0, 4096, 3), ALLOW),  # mmap to write
        ((9, 222), (0, 4096, 5), ALLOW),  # mmap to execute
        ((9, 222), (0, 4096, 7), EPERM),  # mmap to write and execute
        ((10, 226), (0, 4096, 7), EPERM),  # mprotect
        ((257, 56), (0, 0, 0o2000000), ALLOW),  # openat to read
        ((257, 56), (0, 0, 0o1), EPERM),  # to write
        ((257, 56), (0, 0, 0o100), EPERM),  # to create
        ((322, 281), (200, 0, 0, 0, 0x1000), ALLOW),  # execveat of the worker
        ((322, 281), (3, 0, 0, 0, 0x1000), EPERM),  # of something else
        ((322, 281), (200, 0, 0, 0, 0), EPERM),
        ((302, 261), (0, 7, 0, 1), ALLOW),  # prlimit64 to read
        ((302, 261), (0, 7, 0x7F0000001000, 0), EPERM),  # to set
        ((302, 261), (0, 7, 0x7F0000000000, 0), EPERM),
        ((72, 25), (1, 3), ALLOW),  # fcntl F_GETFL
        ((72, 25), (1, 0), EPERM),  # F_DUPFD
        ((157, 167), (15,), ALLOW),  # prctl PR_SET_NAME
        ((157, 167), (22,), EPERM),
        ((234, 131), (77, 78, 6), ALLOW),  # tgkill of itself
        ((234, 131), (1, 1, 9), EPERM),
    ],
)
@pytest.mark.parametrize("column", [0, 1])
def test_the_filter(
    column: int, call: tuple[int, int], arguments: tuple[int, ...], answer: int
) -> None:
    assert decide(*(X86, ARM)[column], call[column], *arguments) == answer


def test_the_filter_knows_calls_of_its_own_machine_only() -> None:
    assert decide("x86_64", 0x40000003, 3) == KILL  # 32 bits
    assert decide("x86_64", X86[1], 0x40000000) == EPERM  # x32
    assert decide(*ARM, 0) == EPERM
    assert len(jail.program("x86_64", 1)) < 4096


def test_the_report_is_of_plain_sentences() -> None:
    report = sandbox.jail_report()
    assert all(line.endswith(".") and len(line) < 200 for line in report)
    if sys.platform == "linux" and os.getuid() != 0:
        assert any(line.startswith("No user of their own") for line in report)


PROBE = """
import importlib.util, os, socket, sys
spec = importlib.util.spec_from_file_location("jail", sys.argv[1])
jail = importlib.util.module_from_spec(spec)
spec.loader.exec_module(jail)
jail.confine(None)
def tell(name, function):
    try:
        function()
        print(name, "works")
    except (OSError, ValueError):
        print(name, "fails")
tell("read", lambda: open("/etc/passwd").read())
tell("list", lambda: os.listdir("/"))
tell("write", lambda: open("/tmp/banshi-jail-test", "w"))
tell("remove", lambda: os.unlink(sys.argv[1]))
tell("network", socket.socket)
tell("fork", os.fork)
tell("program", lambda: os.execv("/bin/true", ["true"]))
tell("signal", lambda: os.kill(os.getppid(), 0))
tell("root", lambda: os.setuid(0))
tell("limits", lambda: __import__("resource").setrlimit(9, (1 << 40, 1 << 40)))
tell("memory", lambda: bytearray(10_000_000))
"""


@needs_linux
def test_nothing_can_be_reached_from_inside() -> None:
    if any(line.startswith(("No wall", "No filter")) for line in sandbox.jail_report()):
        pytest.skip("this kernel lacks a wall")
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, JAIL],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    told = dict(line.split() for line in done.stdout.splitlines())
    assert told.pop("memory") == "works"
    assert len(told) == 10
    assert set(told.values()) == {"fails"}, told


@needs_linux
def test_workers_live_behind_the_walls() -> None:
    assert sandbox.run("1 + 1", {}) == 2
    folders = [
        folder
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _is_worker_of_ours(folder)
    ]
    assert folders
    missing = " ".join(sandbox.jail_report())
    for folder in folders:
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapPrm"], 16) == 0
        if "No filter" not in missing:
            assert status["Seccomp"] == "2"
        if "No user" not in missing:
            assert set(status["Uid"].split()) == {str(jail.UID)}
        limits = (folder / "limits").read_text()
        assert "Max open files            16 " in limits
        assert f"Max address space         {jail.MEMORY} " in limits
        if os.getuid() == 0:
            assert (folder / "environ").read_bytes() == b""
            assert {each.name for each in (folder / "fd").iterdir()} == {"0", "1", "2"}
            if "No network" not in missing:
                assert (folder / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def _is_worker_of_ours(folder: Path) -> bool:
    try:
        parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        return parent == os.getpid() and (folder / "cmdline").read_bytes()[:6] == b"monty\0"
    except (OSError, IndexError, ValueError):
        return False
