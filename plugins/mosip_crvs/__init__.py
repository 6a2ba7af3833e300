"""Births and deaths of a civil registry, registered in MOSIP: each once, each accounted for."""

from __future__ import annotations

__version__ = "0.1.0"
