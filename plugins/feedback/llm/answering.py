"""Who answers: the configured service, or the offline model for as long as it is asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from feedback.llm.asking import Asking
from feedback.llm.cascade import Models
from feedback.llm.service import Endpoint
from feedback.llm.session import models_of


@contextlib.contextmanager
def answering(
    endpoint: Endpoint | None, asking: Asking, known: Sequence[tuple[str, str]]
) -> Iterator[tuple[Endpoint, Models]]:
    """Enter the service.

    :param endpoint: None for the offline model.
    :param known: kind and name of everything that the offline model may know by name.
    """
    if endpoint:
        yield endpoint, models_of(asking, endpoint)
        return
    from feedback.llm.offline_model import MODEL, OfflineModel

    with OfflineModel(known) as server:
        yield Endpoint("offline model", server.base_url, server.api_key), Models(MODEL)
