"""What a process that decodes allows itself."""

import resource


def size_bytes() -> int:
    """Return the address space that this process has now."""
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
