"""A local workspace that answers like Slack's Web API and Socket Mode; it is a sandbox and says so."""
