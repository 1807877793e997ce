"""The sandbox's mail side: a POP3 and an SMTP server on loopback over maildrops in memory."""
