from tests.delivery.conftest import n8n
from tests.jobs.conftest import start_worker

__all__ = ["n8n", "start_worker"]
