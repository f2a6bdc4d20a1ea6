"""Functions for `standin.yaml`."""
