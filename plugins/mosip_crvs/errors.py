"""Every public error of the plugin, grouped by what the caller does about it.

``RetryLater``: wait and run again. ``FixTheData``: a record or a file must be corrected. ``StopTheRun``: the set-up is
wrong, going on would harm. ``AskAnOperator``: a person must look at MOSIP. Texts carry codes and AIDs, never people.
"""

from __future__ import annotations


class MosipCrvsError(Exception):
    """Root of the plugin's errors."""


class RetryLater(MosipCrvsError):
    """A passing fault: the same call, later, is safe and likely to succeed.

    :param retry_after: seconds that the other side asked us to wait, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FixTheData(MosipCrvsError):
    """A registration, a mapping or a schema must be corrected before this can succeed."""


class StopTheRun(MosipCrvsError):
    """The set-up is wrong (credentials, roles, providers, connections): nothing more is sent."""


class AskAnOperator(MosipCrvsError):
    """MOSIP is in a state that only a person can judge."""


class MappingError(FixTheData):
    """A file of ``include/mappings`` or ``include/rules`` cannot be used; the text names file, field and mend."""


class CountryFileError(FixTheData):
    """The file that says what a country's MOSIP must have cannot be used; the text names the place and the mend."""


class SchemaError(FixTheData):
    """The ID schema cannot be used."""


class ExtractError(FixTheData):
    """The extract SQL does not give what the product needs (a column, a key, an order)."""


class ResultSqlError(FixTheData):
    """The SQL that writes results into the registry cannot do what the product needs; the text says what it lacks."""


class ResultRefused(FixTheData):
    """The registry does not take a result; another may well be taken."""


class QuarantineShareExceeded(FixTheData):
    """More of a window was quarantined than the set share: the mapping or the registry is broken."""


class BatchIncomplete(RetryLater):
    """Part of a window was not read or not sent; the ledger knows which."""


class LedgerUnavailable(RetryLater):
    """The ledger could not be reached or did not commit: nothing that depends on it was sent."""


class LedgerBusy(LedgerUnavailable):
    """The ledger undid a transaction for the sake of another one: the same again will do."""


class LedgerRefused(StopTheRun):
    """The ledger refused a statement: it was not migrated, or the code is wrong."""


class UnexpectedFault(MosipCrvsError):
    """A mistake in the code, told by its kind and place only: the original text may quote a registration."""


class MosipUnavailable(RetryLater):
    """MOSIP could not be reached, answered 5xx or 429, or its reply was cut."""


class MosipRefused(StopTheRun):
    """MOSIP refused us: token, role, audience, provider, or an answer that no retry changes."""


class HostRefused(StopTheRun):
    """A link leads to a host that nobody allowed: nothing was sent there. The text names the host, not the link."""


class ShareGone(AskAnOperator):
    """A data-share link is used up or unknown: the credential must be issued anew."""


class ShareTooLarge(AskAnOperator):
    """What a data-share link leads to is larger than any credential."""


class CredentialMissing(StopTheRun):
    """Nobody gave the login that a call needs; the text says where it belongs."""


class PreflightFailed(StopTheRun):
    """MOSIP is not prepared; the text names the checks that failed and what to do."""


class EvidenceTampered(AskAnOperator):
    """What was signed of a day is not so any more: somebody changed evidence or a balance in the ledger."""


class QuestionForOperator(AskAnOperator):
    """Provisioning met something that only a person can decide; nothing was changed there."""


class GateClosed(AskAnOperator):
    """Something that no API of MOSIP can do is to be done by a person first; the text has the exact lines."""


class SubscriptionFailed(RetryLater):
    """The hub did not verify our callback: results would not reach us."""
