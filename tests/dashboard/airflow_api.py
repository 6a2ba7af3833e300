"""Serves Airflow's real API with the plugin in it; first prints its port and the routes of the plugin's applications.

Run as a program of its own, because Airflow reads its configuration once, when it is first imported.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn


def walk(app: Any, prefix: str) -> Iterator[tuple[str, list[str]]]:
    """Give the path and methods of every route, those of mounted applications too."""
    for route in app.routes:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "app", None)
        if hasattr(inner, "routes"):
            yield from walk(inner, path)
        else:
            yield path, sorted(getattr(route, "methods", None) or ["ANY"])


def main() -> None:
    """Make the tables, announce, serve."""
    from airflow import models, plugins_manager, settings
    from airflow.api_fastapi.app import create_app

    models.import_all_models()
    models.base.Base.metadata.create_all(settings.engine)
    app = create_app("core")
    ours = [plugin for plugin in plugins_manager._get_plugins()[0] if plugin.name == "mosip_crvs"]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        said = {
            "port": listener.getsockname()[1],
            "plugins": len(ours),
            "import_errors": plugins_manager.get_import_errors(),
            "routes": [
                route
                for plugin in ours
                for mounted in plugin.fastapi_apps
                for route in walk(mounted["app"], mounted["url_prefix"])
            ],
            "mounts": [getattr(route, "path", "") for route in app.routes],
        }
        print(json.dumps(said), flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
