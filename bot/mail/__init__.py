"""POP3, SMTP and MIME."""
