"""The bot: use cases, mail engine, Slack side, and the one process that runs them."""
