"""MOSIP over HTTP: what to send, how to read the answer, and which answer means what."""
