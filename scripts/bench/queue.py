#!/usr/bin/env python3
"""TheTool's queue beside four others, in the same run on the same machine, and beside the limit of its own table.

    scripts/bench/queue.py                        five interleaved runs of everything (about 25 minutes), as Markdown
    scripts/bench/queue.py --rounds 1 --jobs 1000 a quick look
    scripts/bench/queue.py --only TheTool         without the others
    scripts/bench/queue.py --minutes 10           ten minutes at full speed: jobs a second in each ten seconds
    scripts/bench/queue.py --durable-redis        Redis flushes each write to the disk, as Postgres does
    scripts/bench/queue.py --data /dev/shm        Postgres keeps its data in memory: without what the disk takes

No-op jobs, two workers each, one client; Postgres is an embedded one with its defaults (synchronous_commit=on), and
Redis keeps nothing unless asked to. The others are installed from PyPI into environments of their own
(`--peers FOLDER`).
"""

if __name__ == "queue":
    # The other scripts of this folder find this file where they mean Python's own module of that name: give them that.
    import importlib.util
    import sys
    import sysconfig

    _spec = importlib.util.spec_from_file_location("queue", f"{sysconfig.get_path('stdlib')}/queue.py")
    sys.modules["queue"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["queue"])
else:
    import sys
    from pathlib import Path

    # This folder comes last, for the same reason.
    sys.path = [*(entry for entry in sys.path if Path(entry) != Path(__file__).parent), str(Path(__file__).parent)]
    from queues.comparison import main

    main()
