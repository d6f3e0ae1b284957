"""Locking a decoder process in: whatever media makes it do, it can compute and answer, no more.

A system call filter (seccomp, Linux) lets through what a loop of reading, computing and writing on
open descriptors needs. Opening files, sockets, new processes and threads fail with EPERM.
"""

import ctypes
import errno
import platform
import resource
import signal
import struct
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_ALLOW = 0x7FFF0000
NUMBER_OFFSET, ARCHITECTURE_OFFSET = 0, 4  # in the kernel's `struct seccomp_data`
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
"""BPF instructions (linux/bpf_common.h): BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET."""

# Read, write, close, seek, stat; memory; signals and the CPU timer; locks; time; exit.
ALLOWED_X86_64 = (
    *(0, 1, 3, 5, 8),
    *(9, 10, 11, 12, 25, 28),
    *(13, 14, 15, 131, 38, 219),
    *(24, 202, 204),
    *(39, 186, 98, 228, 318),
    *(60, 231),
)
ALLOWED_AARCH64 = (
    *(63, 64, 57, 80, 62),
    *(222, 226, 215, 214, 216, 233),
    *(134, 135, 139, 132, 103, 128),
    *(124, 98, 123),
    *(172, 178, 165, 113, 278),
    *(93, 94),
)
ARCHITECTURES = {"x86_64": (0xC000003E, ALLOWED_X86_64), "aarch64": (0xC00000B7, ALLOWED_AARCH64)}
"""By machine: the kernel's number of the architecture (linux/audit.h), and the system calls."""


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def die_with_the_parent() -> None:
    """Have the kernel kill this process when the one that started it is gone (Linux)."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def has_filter() -> bool:
    """Whether there is one for this platform."""
    return sys.platform == "linux" and platform.machine() in ARCHITECTURES


def confine() -> bool:
    """Allow this process no other system calls from now on; tell whether that could be done."""
    known = ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return False
    program = _program(*known)
    packed = _Filter(len(program) // 8, program)
    return _prctl(PR_SET_NO_NEW_PRIVS, 1) and _prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(packed)
    )


def _program(architecture: int, allowed: tuple[int, ...]) -> bytes:
    """Another architecture or a call that is not listed is refused."""
    refuse = _instruction(RETURN, SECCOMP_RET_ERRNO | errno.EPERM)
    checks = [
        _instruction(JUMP_IF_EQUAL, number, jump_true=len(allowed) - place)
        for place, number in enumerate(allowed)
    ]
    return b"".join(
        [
            _instruction(LOAD_WORD, ARCHITECTURE_OFFSET),
            _instruction(JUMP_IF_EQUAL, architecture, jump_true=1),
            refuse,
            _instruction(LOAD_WORD, NUMBER_OFFSET),
            *checks,
            refuse,
            _instruction(RETURN, SECCOMP_RET_ALLOW),
        ]
    )


def _instruction(code: int, value: int, *, jump_true: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, 0, value)


def _prctl(option: int, *arguments: int) -> bool:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    padded = [*arguments, 0, 0, 0, 0][:4]
    return bool(prctl(option, *map(ctypes.c_ulong, padded)) == 0)


def size_bytes() -> int:
    # Not `getrusage`: its peak begins with that of the process that started this one.
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[0]) * resource.getpagesize()


def limit_itself(most_bytes: int) -> None:
    """Allow this process so much address space, no files and no core dumps."""
    for name, limit in (
        (resource.RLIMIT_AS, most_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(name, (limit, limit))
