"""The commands: `python tools/<name>.py` in a checkout, `tfvfi <name>` once installed."""
