"""How commands run: signals, messages, and reports of unexpected errors."""
