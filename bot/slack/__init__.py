"""Slack: names, forms, views, posts, client and listeners."""
