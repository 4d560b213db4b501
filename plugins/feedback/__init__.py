"""How customers' words become checked tables: one package, a provider in miniature.

Nothing here imports ``include`` or ``dags``; what a class works on is handed to it.
"""

API = 1
"""What ``include/`` may rely on; ``include.settings`` states the one it needs."""

__version__ = "0.1.0"
"""Carried by every published row as ``engine_version``."""
