"""Starts target-sqlite: `python -m bench.peers.sqlite_target ORDERS`. It reads a Singer tap's lines and keeps the rows.

Changed: a name that left Python with version 3.10 is put back, because target-sqlite 0.2.0 cannot be imported without;
and amounts are not checked to be multiples of 0.00001, because it checks that with binary fractions and refuses 1.0.
"""

import collections
import collections.abc
import json
import sys
from pathlib import Path

from bench.peers.taking_time import orders, taking_time

collections.MutableMapping = collections.abc.MutableMapping


def main() -> None:
    import target_sqlite
    from jsonschema import Draft4Validator

    del Draft4Validator.VALIDATORS["multipleOf"]
    given = orders()
    config = Path(given["folder"]) / "target.json"
    config.write_text(json.dumps({"database": str(Path(given["folder"]) / "books")}))
    sys.argv[1:] = ["--config", str(config)]
    with taking_time(given["folder"], "sqlite_target"):
        target_sqlite.main()


if __name__ == "__main__":
    main()
