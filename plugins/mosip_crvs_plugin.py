"""The one file of this folder that Airflow loads as a plugin (see ``.airflowignore``)."""

from __future__ import annotations

from mosip_crvs.plugin import MosipCrvsPlugin

__all__ = ["MosipCrvsPlugin"]
