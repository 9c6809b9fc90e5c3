"""Files of many rows through a team's own model: a job that reads, asks and writes chunk by chunk.

A file in any of the formats becomes `chunk.Chunk`s: rows as arrays that the model takes, and of the rows that cannot be
such, why. `model` runs them, `outputs` makes columns of what comes out, `writers` write them.

- `opening`: what the file is; `tables` (CSV, Parquet), `instances` (JSON Lines), `arrays` (.npy): its rows
- `kept`: what is written beside the predictions
- `mapping`: which columns each input takes; `cells`: from columns to arrays
- `run`: the whole way, a library without Flask or a database
- `jobs`, `submission`, `routes`, `told`: as a job of the service
"""
