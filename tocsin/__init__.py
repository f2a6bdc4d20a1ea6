"""Tocsin: rings once in Slack per real development, with the evidence."""

__version__ = "0.1.0"
