import os
import signal
import sys


def main() -> None:
    if os.getpid() == 1:  # the first process of a container gets no signal that it has not asked for
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    from batchanator.cli.main import main as run  # noqa: PLC0415 - takes half a second, in which a stop may come

    run()


if __name__ == "__main__":
    main()
