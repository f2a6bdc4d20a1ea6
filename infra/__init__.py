"""What turns `template.yaml` into a running system."""
