"""A stand-in for MOSIP: one HTTP server with MOSIP's default paths, answers and documented faults.

It exists for the demo and the tests. It shares no code with the plugin, so that a wrong assumption of the plugin
meets a different reading of the same reference (`mosip-packets.md`, `mosip-events.md`) and fails.
"""
