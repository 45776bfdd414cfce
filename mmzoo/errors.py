"""What can go wrong for a user, as a tree. The command line prints any of these as one message.

MmzooError
├── ConfigError     the YAML file, or a value given with --set, is wrong
├── DataError       data cannot be found, fetched or read
├── RunError        a run directory or one of its files is missing, in use or damaged
├── TrainingError   a training cannot go on: a loss that is not finite, a full disk
└── Interrupted     a signal stopped a training; all of it is saved

Anything else that escapes is a defect of mmzoo.
"""

from __future__ import annotations


class MmzooError(Exception):
    """Base of every error that is the user's to mend: says where, what came and what to do."""

    exit_code = 1


class ConfigError(MmzooError):
    """The config is wrong. The message lists every problem, one a line, each with its place."""


class DataError(MmzooError):
    """Data cannot be found, fetched or read. The message names the file and, if any, the row."""


class RunError(MmzooError):
    """A run directory or one of its files is missing, in use or damaged."""


class TrainingError(MmzooError):
    """A training cannot go on. What was saved before stays as it was."""


class Interrupted(MmzooError):
    """A signal stopped a training after a whole step; all of it is saved.

    `exit_code` is 128 + the signal's number, as shells have it: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
