"""What the verbs tell the person when something does not work."""

from __future__ import annotations


class QuickstartError(Exception):
    """A failure with a sentence for the person; the verb ends with exit code 1."""


class NotRunning(QuickstartError):
    """The verb needs a running stack and there is none.

    :param why: what ended the last one, if it ended by itself.
    :param kept: whether an earlier stack left its registry and ledger.
    """

    def __init__(self, why: str = "", *, kept: bool = False) -> None:
        ended = f"The last one ended by itself: {why}\n" if why else ""
        again = " (or, to go on with what the last one left: ./run up --again)" if kept else ""
        super().__init__(f"No stack is running here. {ended}Start one with: ./run up{again}")


class RunFailed(QuickstartError):
    """A DAG run did not succeed."""


class ComponentDied(QuickstartError):
    """A child process of the stack ended by itself."""
