"""Every way this package says no. Plain exceptions; operators alone translate them into Airflow's.

    FeedbackError
    ├── SettingError            a variable holds what we cannot use
    ├── InputRefused            a file cannot be read as what it is said to be
    ├── ConnectionMissing       an Airflow connection is absent or incomplete
    ├── CredentialRefused       a service knows us not
    ├── ServiceUnreachable      a service did not answer (a retry may help)
    ├── LimitReached            a service takes no more from us for now (a retry may help)
    ├── PriceUnknown            a model has no price, so no budget could hold
    ├── WarehouseError          the warehouse refused a statement
    │   ├── WarehouseBusy       another process holds it (a retry may help)
    │   ├── WarehouseFull       no room left on the device
    │   ├── MigrationFailed     a schema could not be moved forward; a copy was kept
    │   └── ForeignSchema       a schema of that name exists and is not ours
    ├── SourceFailed            a source could not be read; the others are published
    ├── RunIncomplete           another task of the run did not succeed and has said why
    ├── GateBlocked             a batch did not pass its suite; nothing of it was published
    └── RunInProgress           another run is at work in this home

The text of each is one line that names the file, variable or connection and what to do about it.
It never holds customer text, model text or a secret.
"""


class FeedbackError(Exception):
    """Base of them all.

    ``retryable`` says whether the same call may succeed a little later, ``outcome`` what ``ops.task_runs`` calls it.
    """

    retryable = False
    outcome = "failed"


class SettingError(FeedbackError):
    """A variable holds what we cannot use. The same value fails the same way."""


class InputRefused(FeedbackError):
    """A file cannot be read as what it is said to be. Nothing of it was loaded."""


class ConnectionMissing(FeedbackError):
    """An Airflow connection is absent or incomplete."""


class CredentialRefused(FeedbackError):
    """A service refused our key or token. Nothing was paid."""


class ServiceUnreachable(FeedbackError):
    """A service did not answer. What was answered before is kept."""

    retryable = True


class LimitReached(FeedbackError):
    """A service takes no more from us for now. What it took before is kept."""

    retryable = True


class PriceUnknown(FeedbackError):
    """A model is in no price table, so its cost could not be held inside the budget. Nothing was asked."""


class WarehouseError(FeedbackError):
    """The warehouse refused a statement; its transaction was rolled back."""


class WarehouseBusy(WarehouseError):
    """Another process held the warehouse longer than we wait."""

    retryable = True


class WarehouseFull(WarehouseError):
    """The device has no room left; the transaction was rolled back."""


class MigrationFailed(WarehouseError):
    """A schema could not be moved forward. It stays as it was; the line says where the copy is."""


class ForeignSchema(WarehouseError):
    """A schema of our name exists without our ``ops.schema_version``: it is somebody else's."""


class SourceFailed(FeedbackError):
    """A source could not be read. What the others bring is published; its cursor stays."""


class RunIncomplete(FeedbackError):
    """Another task of the run did not succeed. It has told people itself, so nobody is told a second time."""

    outcome = "incomplete"


class GateBlocked(FeedbackError):
    """A batch did not pass its suite. Nothing of it was published; a case is open."""

    outcome = "blocked"


class RunInProgress(FeedbackError):
    """Another run is at work in this home."""
