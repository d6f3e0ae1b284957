"""What a process that runs Apprise may touch: an audit hook judges what it asks for."""

import os
import socket
import ssl
import sysconfig
from collections.abc import Callable, Collection
from typing import Any, Final

from media.outbound.addresses import fold_host, is_refused, is_refused_host, parse_literal

_PROGRAMS: Final = frozenset(
    {
        *("subprocess.Popen", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork"),
        *("os.forkpty", "os.startfile", "pty.spawn"),
    }
)
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refused(PermissionError):
    """The process must not touch that; the message says nothing more."""


class ProcessGuard:
    """Judges what Python's audit events announce, and refuses by raising.

    What was `refused` last is an `address`, a `file` or a `program`; Apprise reports none of it.
    Hosts that are `exempt`, with their ports, pass wherever they lead.
    """

    def __init__(
        self, *, allow_private_networks: bool, exempt: Collection[tuple[str, int]] = ()
    ) -> None:
        self.refused: str | None = None
        self._allow_private_networks = allow_private_networks
        self._exempt = {(fold_host(host), port) for host, port in exempt}
        self._exempt_addresses: set[tuple[str, int]] = set()
        self._is_resolving = False
        self._readable = _readable_roots()
        self._judges: dict[str, Callable[[tuple[Any, ...]], bool]] = {
            "socket.getaddrinfo": lambda args: self._may_resolve(args[0], args[1]),
            "socket.gethostbyname": lambda args: self._may_resolve(args[0], 0),
            "socket.connect": lambda args: self._may_reach(args[0].family, args[1]),
            "socket.sendto": lambda args: self._may_reach(args[0].family, args[1]),
            "socket.sendmsg": lambda args: self._may_reach(args[0].family, args[1]),
            "open": lambda args: self._may_open(args[0], args[2]),
        }

    def judge(self, event: str, args: tuple[Any, ...]) -> None:
        """Refuse or let pass; the hook of `sys.addaudithook`."""
        may = self._judges.get(event)
        if may is not None and not may(args):
            self.refused = "file" if event == "open" else "address"
        elif event in _PROGRAMS:
            self.refused = "program"
        else:
            return
        raise Refused("refused")

    def _may_resolve(self, host: str | bytes | None, port: object) -> bool:
        if self._allow_private_networks or self._is_resolving or host is None:
            return True
        name = fold_host(host.decode() if isinstance(host, bytes) else host)
        if (
            isinstance(port, int | str)
            and str(port).isdigit()
            and (name, int(port)) in self._exempt
        ):
            self._exempt_addresses |= self._resolved(name, int(port))
            return True
        return not is_refused_host(name)

    def _resolved(self, name: str, port: int) -> set[tuple[str, int]]:
        self._is_resolving = True
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError:
            return set()
        finally:
            self._is_resolving = False
        return {(str(address[0]), port) for *_, address in found}

    def _may_reach(self, family: int, address: object) -> bool:
        if family not in (socket.AF_INET, socket.AF_INET6):
            return False  # a Unix socket, a device
        if address is None:  # sent on a connection that was judged
            return True
        host, port = address[:2] if isinstance(address, tuple) else ("", 0)
        if self._allow_private_networks or (host, port) in self._exempt_addresses | self._exempt:
            return True
        # A name here would be resolved after this judgement.
        literal = parse_literal(str(host))
        return literal is not None and not is_refused(literal)

    def _may_open(self, path: object, flags: object) -> bool:
        if isinstance(path, int):
            return True
        if not isinstance(path, str | bytes) or (isinstance(flags, int) and flags & _WRITING):
            return False
        real = os.path.realpath(os.fsdecode(path))
        return any(real == root or real.startswith(root + os.sep) for root in self._readable)


def _readable_roots() -> list[str]:
    """Return what Python and its libraries read while they run: themselves, and certificates."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    defaults = ssl.get_default_verify_paths()
    certificates = (defaults.cafile, defaults.capath, defaults.openssl_cafile)
    roots = [sysconfig.get_path(name) for name in names]
    roots += [*filter(None, certificates), "/usr/share/zoneinfo", "/etc/mime.types", os.devnull]
    return [os.path.realpath(root) for root in roots]
