"""HTTP conventions that every room shares: problems, request ids, headers, pagination, OpenAPI."""
