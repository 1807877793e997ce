"""A local workspace and mail server to try the bot without Slack; never imported by it."""
