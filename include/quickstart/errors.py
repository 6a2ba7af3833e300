"""What the verbs tell the person when something does not work."""

from __future__ import annotations


class QuickstartError(Exception):
    """A failure with a sentence for the person; the verb ends with exit code 1."""


class NotRunning(QuickstartError):
    """The verb needs a running stack and there is none."""

    def __init__(self) -> None:
        super().__init__("No stack is running here. Start one with: ./run up")


class RunFailed(QuickstartError):
    """A DAG run did not succeed."""


class ComponentDied(QuickstartError):
    """A child process of the stack ended by itself."""
