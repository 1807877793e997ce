"""Keeps things: tables, vault and one store for each family of tables. Never imports the bot."""
