"""The jail of a script worker: gives up all a worker does not need, then becomes the worker.

Run as ``python -I -S jail.py WORKER ARGUMENT...`` or ``python -I -S jail.py --report``, which
confines itself likewise and prints a line for each wall that could not be put up. A missing wall
stops nothing: the others still stand. It must not import anything of the product.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import struct
import sys
from collections.abc import Callable

UID = 65534
MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 600
FILES = 16
# Beyond what may be opened later, so that this number never again stands for a program.
WORKER_FD = 200
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store")
LOADER = ("/etc/ld.so.cache", "/etc/ld.so.preload", "/proc/self/maps")

_libc = ctypes.CDLL(None, use_errno=True)


# -- system calls -------------------------------------------------------------------------------

# Name, number on x86_64 and on aarch64; -1 where there is none.
ALLOWED = {
    "read": (0, 63), "write": (1, 64), "futex": (202, 98), "poll": (7, -1), "ppoll": (271, 73),
    "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233), "brk": (12, 214),
    "clock_gettime": (228, 113), "getrandom": (318, 278), "close": (3, 57), "fstat": (5, 80),
    "newfstatat": (262, 79), "statx": (332, 291), "lseek": (8, 62), "pread64": (17, 67),
    "readv": (19, 65), "writev": (20, 66), "access": (21, -1), "faccessat": (269, 48),
    "faccessat2": (439, 439), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "sigaltstack": (131, 132), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "getpid": (39, 172), "gettid": (186, 178),
    "exit": (60, 93), "exit_group": (231, 94), "restart_syscall": (219, 128),
    "arch_prctl": (158, -1), "set_tid_address": (218, 96), "set_robust_list": (273, 99),
    "rseq": (334, 293), "membarrier": (324, 283), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "gettimeofday": (96, 169),
    "uname": (63, 160), "sysinfo": (99, 179),
}  # fmt: skip
_PROT_WRITE_EXEC, _CLONE_THREAD, _OPEN_TO_WRITE = 6, 0x10000, 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000
_LOAD, _EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

Instruction = tuple[int, int, int, int]
# Argument, mask and what is left under it; the call is allowed if that is (True) or is not (False).
Test = tuple[int, int, int, bool]


def conditional(pid: int) -> dict[str, tuple[int, int, list[list[Test]]]]:
    """Calls allowed with some arguments only: any one row of tests must hold."""
    low = 0xFFFFFFFF
    return {
        "mmap": (9, 222, [[(2, _PROT_WRITE_EXEC, _PROT_WRITE_EXEC, False)]]),
        "mprotect": (10, 226, [[(2, _PROT_WRITE_EXEC, _PROT_WRITE_EXEC, False)]]),
        "openat": (257, 56, [[(2, _OPEN_TO_WRITE, 0, True)]]),
        "clone": (56, 220, [[(0, _CLONE_THREAD, _CLONE_THREAD, True)]]),
        "prctl": (157, 167, [[(0, low, 15, True)]]),  # the name of a thread
        "fcntl": (72, 25, [[(1, low, command, True)] for command in (1, 2, 3)]),
        "prlimit64": (302, 261, [[(2, low, 0, True), (-2, low, 0, True)]]),  # reading, not setting
        "tgkill": (234, 131, [[(0, low, pid, True)]]),  # abort()
        "execveat": (322, 281, [[(0, low, WORKER_FD, True), (4, low, 0x1000, True)]]),
    }


def program(machine: str, pid: int) -> list[Instruction]:
    """The seccomp filter: what is not allowed gives EPERM."""
    column, audit = _MACHINES[machine]
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    made: list[Instruction] = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _KILL)]
    made.append((_LOAD, 0, 0, 0))
    for numbers in ALLOWED.values():
        if numbers[column] >= 0:
            made += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ALLOW)]
    # What clone3 is asked for cannot be seen; without it the C library uses clone.
    made += [(_EQUAL, 0, 1, 435), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]
    for *number, rows in conditional(pid).values():
        block = [each for row in rows for each in _row(row)] + [refuse]
        made += [(_EQUAL, 0, len(block), number[column]), *block]
    return [*made, refuse]


def _row(tests: list[Test]) -> list[Instruction]:
    made: list[Instruction] = [(_RETURN, 0, 0, _ALLOW)]
    for argument, mask, left, equal in reversed(tests):
        offset = 16 + 8 * abs(argument) + (4 if argument < 0 else 0)
        skip = len(made)
        made = [
            (_LOAD, 0, 0, offset),
            (_AND, 0, 0, mask),
            (_EQUAL, 0 if equal else skip, skip if equal else 0, left),
            *made,
        ]
    return made


def filter_calls() -> str | None:
    machine = os.uname().machine
    if machine not in _MACHINES or sys.maxsize < 2**32 or sys.byteorder != "little":
        return f"no list of system calls for {machine}"
    code = b"".join(struct.pack("HBBI", *each) for each in program(machine, os.getpid()))
    held = ctypes.create_string_buffer(code, len(code))
    length = len(code) // 8
    asked = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", length, ctypes.addressof(held)))
    return _prctl(22, 2, ctypes.addressof(asked))


# -- files --------------------------------------------------------------------------------------

_READ, _EXECUTE = 1 << 2, 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}


def hide_files(worker: int | None) -> str | None:
    """Landlock: libraries can be read, the worker be run, and nothing else be reached."""
    create, add, restrict = 444, 445, 446
    version = _libc.syscall(create, None, 0, 1)
    if version < 1:
        return _why()
    handled = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    # Files; TCP, since version 4; abstract sockets and signals of others, since version 6.
    attributes = struct.pack("QQQ", handled, 3, 3)[
        : 8 if version < 4 else 16 if version < 6 else 24
    ]
    rules = _libc.syscall(create, attributes, len(attributes), 0)
    if rules < 0:
        return _why()
    for path in (*LIBRARIES, *LOADER):
        try:
            beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        # The kernel runs the loader, which is among the libraries.
        rights = _READ | _EXECUTE if path in LIBRARIES else _READ
        _libc.syscall(add, rules, 1, struct.pack("=Qi", rights, beneath), 0)
        os.close(beneath)
    if worker is not None:
        _libc.syscall(add, rules, 1, struct.pack("=Qi", _READ | _EXECUTE, worker), 0)
    failed = _libc.syscall(restrict, rules, 0)
    os.close(rules)
    return _why() if failed else None


# -- the other walls ----------------------------------------------------------------------------


def leave_network() -> str | None:
    """A network of its own with nothing in it; who is not root needs users of its own for that."""
    new_net, new_ipc, new_user = 0x40000000, 0x08000000, 0x10000000
    if os.geteuid() == 0:
        return _why() if _libc.unshare(new_net | new_ipc) else None
    return _why() if _libc.unshare(new_user | new_net | new_ipc) else None


def limit() -> None:
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))


def become_nobody() -> str | None:
    for capability in range(64):
        _prctl(24, capability)  # never to be had again, even should root remain root
    if os.getuid() != 0:
        return "the service does not run as root, so its workers share its user"
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    return None


def _prctl(*arguments: int) -> str | None:
    padded = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:5]]
    return _why() if _libc.prctl(*padded) else None


def _why() -> str:
    return os.strerror(ctypes.get_errno())


def confine(worker: int | None) -> list[str]:
    """Put up the walls; the sentences name those that could not be put up."""
    walls: list[tuple[str, Callable[[], str | None]]] = [
        ("No network of their own", leave_network),
        ("No limits of memory, time and files", limit),
        ("No user of their own", become_nobody),
        ("They may gain privileges", lambda: _prctl(38, 1)),
        ("No wall around the file system", lambda: hide_files(worker)),
        ("No filter of system calls", filter_calls),
    ]
    missing = []
    for sentence, put_up in walls:
        try:
            why = put_up()
        except (OSError, ValueError) as error:
            why = str(error)
        if why:
            missing.append(f"{sentence}: {why}.")
    return missing


def main(arguments: list[str]) -> None:
    os.chdir("/")
    if arguments[0] == "--report":
        sys.stdout.write("".join(f"{line}\n" for line in confine(None)))
        return
    # By its number, as nobody may not be let into the folders above it.
    opened = os.open(arguments[0], os.O_RDONLY | os.O_CLOEXEC)
    fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, WORKER_FD)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.closerange(3, WORKER_FD)
    os.closerange(WORKER_FD + 1, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    confine(WORKER_FD)
    os.execve(WORKER_FD, ["monty", *arguments[1:]], {})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
