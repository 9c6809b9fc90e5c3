"""Who is calling and what they may do: keys, owners, scopes, sign-in, rate limits."""
