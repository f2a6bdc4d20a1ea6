"""The steps of the system, each written once against the ports: collect what was dropped, detect, deliver, digest."""
