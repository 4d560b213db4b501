"""``make suites``: every suite as JSON beside the pages, so that a changed rule shows in review."""

from __future__ import annotations

import argparse

HELP = "export the suites to include/expectations/*.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file is not current")


def main(options: argparse.Namespace) -> int:
    from include.expectations import snapshots, write_snapshots

    if not options.check:
        for file in write_snapshots():
            print(f"wrote {file.name}")
        return 0
    stale = [file.name for file, text in snapshots().items() if not file.exists() or file.read_text() != text]
    if stale:
        print(f"not current: {', '.join(stale)}; run make suites and read the difference")
    return 1 if stale else 0
