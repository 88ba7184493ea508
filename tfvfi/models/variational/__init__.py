"""Motion solved for, then corrected and painted by small learned networks."""
