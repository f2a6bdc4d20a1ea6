"""Where boto3's core finds what it knows of a service."""

from __future__ import annotations

import os

from botocore.loaders import Loader


class Models(Loader):
    """Believes that every folder of the models is a service, where boto3 looks into all four hundred before it makes a client."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - boto3's
        """The names of the folders, whatever is in them."""
        return os.listdir(self.BUILTIN_DATA_PATH)
