"""How long tests wait. How fast something is, benchmarks say; a test only has to see that a limit
holds where, without it, nothing would ever come.
"""

from __future__ import annotations

#: Beside a limit of the product: a busy machine is slow to notice that it has passed.
ALLOWANCE_SECONDS = 10
