import subprocess
import sys

HEAVY = ("aiohttp", "asyncpg", "aiosqlite", "asyncio", "structlog", "rich", "click", "uvloop")


def test_importing_the_package_for_its_names_brings_no_server_and_no_driver():
    script = f"import sys; from batchanator import JobHandler; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
