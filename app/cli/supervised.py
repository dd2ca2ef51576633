"""Run a Python module that ends when the supervisor ends, however the supervisor ended.

`python -m app.cli.supervised PARENT gunicorn …` is `python -m gunicorn …` with that one addition;
PARENT is the supervisor's process number, which may have ended while Python was loading.
"""

from __future__ import annotations

import runpy
import sys

from app.core.processes import end_with

if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
