"""The options about encryption: to whom, and by which key it is opened."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pgaudit_kit.dumps.files.age import IDENTITY_VARIABLE
from pgaudit_kit.errors import UsageError

_OPTION = "--identity"

EncryptTo = Annotated[
    list[str] | None,
    typer.Option(
        "--encrypt-to", help="A public key of age (age1…, ssh-ed25519 …) or a file of them: incremental backups are encrypted to it."
    ),
]


def take_identity(arguments: list[str]) -> list[str]:
    """Return *arguments* without `--identity FILE`, which works anywhere on the line, and have that file's key open what is encrypted.

    Raises UsageError when no file follows.
    """
    left: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return [*left, argument, *rest]
        if argument == _OPTION or argument.startswith(f"{_OPTION}="):
            file = next(rest, "") if argument == _OPTION else argument.partition("=")[2]
            if not file:
                raise UsageError("--identity needs a file", resource=_OPTION, remedy="Name the file with the secret key.")
            os.environ[IDENTITY_VARIABLE] = file  # processes that are begun for large files see it too
        else:
            left.append(argument)
    return left
