"""What keeps a process from starting."""


class StartError(Exception):
    """A process cannot start; the message is one line that says why and names the variable."""
