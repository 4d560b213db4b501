"""Slack by its API: read completely within its limits, as ``source`` puts together."""
