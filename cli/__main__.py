"""`python -m cli` is the `stream-tracker` command."""

from cli.main import main

main()
