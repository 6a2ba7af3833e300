"""The prerequisites of a country, looked at and made: preflight and provision."""
