"""The command-line program: one verb a file, no logic that a Dag or an operator should hold.

It stands on the top floor, beside ``dags/``; like Airflow, it appends ``plugins/`` to ``sys.path``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if str(ROOT / "plugins") not in sys.path:
    sys.path.append(str(ROOT / "plugins"))
