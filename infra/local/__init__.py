"""The running system on one machine: the template on moto, the event pump, a local Slack."""
