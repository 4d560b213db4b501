"""``python -m include.cli <verb> --help``. A verb is a module with HELP, arguments(parser) and main(options)."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import importlib
import os
import signal
import sys
from pathlib import Path

from feedback.errors import FeedbackError
from include.cli.env_file import read_env_file

VERBS = {
    "run": "run",
    "ui": "ui",
    "plan": "plan",
    "doctor": "doctor",
    "review": "review",
    "setup": "setup",
    "digest": "digest",
    "report": "report",
    "eval": "eval",
    "backup": "backup",
    "erase": "erase",
    "tables": "tables",
    "suites": "suites",
    "check-sql": "check_sql",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return its exit status; an error of ours is one line on standard error."""
    verb = "python -m include.cli"
    _stop_kindly()
    try:
        options = _parser().parse_args(arguments)
        verb = options.verb
        if options.env:
            read_env_file(options.env)
        return int(options.main(options))
    except FeedbackError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("stopped; what was paid and published is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1  # who reads what we print has read enough
    except Exception as error:  # noqa: BLE001 - nobody is shown a traceback
        from include.cli import trouble

        print(trouble.line(verb, error), file=sys.stderr)
    return 1


def _stop_kindly() -> None:
    """Let whoever ends us, a terminal that closes too, end us as Ctrl-C does: paid answers kept, no child left."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.cli", description="Customer feedback, from word to table.")
    parser.add_argument("--env", type=Path, metavar="FILE", help="variables, NAME=value a line; exported ones win")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    for name, module in VERBS.items():
        verb = importlib.import_module(f"include.cli.{module}")
        subparser = verbs.add_parser(name, help=verb.HELP, description=verb.HELP)
        verb.arguments(subparser)
        subparser.set_defaults(main=verb.main)
    return parser


def _leave(status: int) -> None:
    """End at once: what Airflow has loaded takes Python seconds to take apart, and nobody waits for that."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a reader who has gone
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    os.umask(0o077)  # a home holds customers' words: what is made in it is its owner's alone
    _leave(main())
