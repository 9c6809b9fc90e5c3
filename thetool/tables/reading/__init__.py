"""Reading any file that holds a table: no Flask, no database, usable alone.

    from thetool.tables.reading.table import read_table

    reading = read_table(Path("sales.csv"), Path("folder"), ReadOptions(), filename="sales.csv")

`read_table` leaves two files of the same rows and columns in the folder, both in row groups of 50,000:

- `text.parquet`: every column as text (Polars' `String`), exactly as the file has it. Null is where it has nothing: an
  empty field, quoted or not, a field that a short row lacks, a JSON null.
- `typed.parquet`: the same, typed by our own rules. Null is also what could not be typed (counted in the reading) and,
  in columns that are not text, the words for null ("n/a").

Both begin with the column `_row` (`Int64`): 1 for the first row of data. The `Reading` says how the file was read: each
choice with its reason, and each can be made otherwise with `ReadOptions`. No library's inference decides anything.

- `options`: `ReadOptions`, what is asked; `report`: `Reading`, what is told; `problems`: why a file is refused;
  `limits`: how large it may be (these four load nothing heavy)
- `table`: `read_table`, the whole way; `draft`: what the reader of one format hands over; `sink`: writing Parquet
- `containers`, `formats`: gzip and zip; which format it is
- `delimited` with `encodings`, `dialect`, `header`, `region`, `survey`, `mending`: text
- `records` with `json_stream`: JSON; `columnar`: Parquet
- `spreadsheets` with `workbook`, `cells`, `opendocument`, `parts`: XLSX and ODS
- `names`: each column has one; `damage`: what libraries raise, as a problem
- `columns/`: what type a column has, and its values as that type
"""
