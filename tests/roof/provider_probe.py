"""Says, as JSON, what Airflow finds of an installed distribution. Run as a program of its own."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Ask Airflow as its API server and its tasks would."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
    from airflow.providers_manager import ProvidersManager
    from airflow.sdk import Connection

    manager = ProvidersManager()
    types = ("mosip", "crvs_ledger")
    forms = {meta.connection_type: meta.model_dump() for meta in HookMetaService.hook_meta_data()}
    sensitive = {
        widget_name: widget.is_sensitive
        for widget_name, widget in manager._connection_form_widgets_from_metadata.items()
    }
    heavy_after_forms = [name for name in ("mosip_crvs.hooks.mosip", "requests_toolbelt") if name in sys.modules]
    hooks = {}
    for name in types:
        hook = Connection(conn_id="x", conn_type=name).get_hook()
        hooks[name] = [f"{type(hook).__module__}.{type(hook).__name__}", hook.hook_name, callable(hook.test_connection)]
    provider = manager.providers["airflow-provider-mosip-crvs"]
    print(
        json.dumps(
            {
                "version": provider.version,
                "package": provider.data["package-name"],
                "forms": {name: forms[name] for name in types},
                "sensitive": {
                    name: is_sensitive for name, is_sensitive in sensitive.items() if name.split("__")[1] in types
                },
                "imported_for_the_forms": heavy_after_forms,
                "hooks": hooks,
            },
            default=str,
        )
    )


if __name__ == "__main__":
    main()
