"""Files (blobs): in Postgres by the chunk or in an S3 bucket, streamed both ways, served over signed links."""
