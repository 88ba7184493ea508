"""How fast networks and operations are, beside other engines and what the machine can do."""
