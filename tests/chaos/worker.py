"""A worker as `onrecord worker` starts it, but for the reader, which CHAOS_READER names."""

import os
import sys

from services.enricher.app import READER, run_worker
from services.enricher.settings import load_settings

if __name__ == "__main__":
    sys.exit(run_worker(load_settings(), os.environ.get("CHAOS_READER", READER)))
