"""Exceptions for the errors that users can fix. The command line prints each as one message.

MmzooError
├── ConfigError     the YAML file, or a value given with --set, is wrong
├── DataError       data cannot be found, downloaded or read
├── RunError        a run directory or one of its files is missing, in use or damaged
├── TrainingError   training cannot continue: a non-finite loss, a full disk
└── Interrupted     a signal stopped training; everything is saved

Any other exception that reaches the user is a bug in mmzoo.
"""

from __future__ import annotations


class MmzooError(Exception):
    """Base class. Messages say where the problem is, what was given and how to fix it."""

    exit_code = 1


class ConfigError(MmzooError):
    """An invalid config. The message lists every problem on a line, with its location."""


class DataError(MmzooError):
    """Data that cannot be found, downloaded or read. The message names the file and the row."""


class RunError(MmzooError):
    """A run directory, or a file in one, that is missing, in use or damaged."""


class TrainingError(MmzooError):
    """Training that cannot continue. Saved checkpoints stay as they are."""


class Interrupted(MmzooError):
    """Training stopped by a signal after a complete step; everything is saved.

    `exit_code` is 128 + the signal number, as in shells: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
