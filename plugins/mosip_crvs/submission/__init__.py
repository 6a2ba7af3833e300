"""Submission: read, map, claim, send; bounded, parallel, and safe to kill anywhere."""
