"""Forward steps of the tables, run by `Database.migrate`."""
