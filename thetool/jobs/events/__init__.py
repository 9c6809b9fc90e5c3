"""What happens to a job, told to those who listen: server-sent events, WebSockets, and the tickets that open them."""
