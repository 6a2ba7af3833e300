"""Reading the civil registry's database."""
