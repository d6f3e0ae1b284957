"""Runs a program where there are no system call filters: `python -m tests.media.unconfinable CMD`.

A filter of its own refuses to install further ones, and lets all else pass.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

from media.decoding.decoder.confinement import (
    ARCHITECTURES,
    JUMP_IF_EQUAL,
    LOAD_WORD,
    NUMBER_OFFSET,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    RETURN,
    SECCOMP_MODE_FILTER,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
)

PRCTL = {"x86_64": 157, "aarch64": 167}
FIRST_ARGUMENT_OFFSET = 16


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def main() -> None:
    """Give up system call filters and become the program that the arguments name."""
    program = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (LOAD_WORD, 0, 0, NUMBER_OFFSET),
            (JUMP_IF_EQUAL, 0, 3, PRCTL[platform.machine()]),
            (LOAD_WORD, 0, 0, FIRST_ARGUMENT_OFFSET),
            (JUMP_IF_EQUAL, 0, 1, PR_SET_SECCOMP),
            (RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EPERM),
            (RETURN, 0, 0, SECCOMP_RET_ALLOW),
        )
    )
    packed = _Filter(len(program) // 8, program)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert platform.machine() in ARCHITECTURES
    assert prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    address = ctypes.c_ulong(ctypes.addressof(packed))
    assert prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, address, 0, 0) == 0
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
