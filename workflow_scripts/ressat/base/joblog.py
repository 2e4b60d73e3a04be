"""What a job says: the whole story in its log file, one sentence on the screen."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from ressat.base.errors import InputError
from ressat.base.machine import machine_trouble

logger = logging.getLogger("ressat")


@contextmanager
def job_log(log_file: str, title: str) -> Iterator[logging.Logger]:
    """Log a script's messages and warnings to its log file, and end it cleanly on errors.

    An `InputError` ends the script with status 1 and its one sentence on the screen, and so does trouble of
    the machine, such as a full disk; the stack trace goes to the log only. Any other exception is a bug of
    ours: it is logged and shown. A log that cannot be written hides none of it, and stops no job.

    Parameters
    ----------
    log_file
        The rule's log file.
    title
        What the job works on, e.g. ``"tile_slide C2"``; opens every line on the screen.

    Yields
    ------
    logging.Logger
        The logger ``ressat``: info goes to the file, warnings to the screen too.
    """
    try:
        to_file = _LogFile(log_file, mode="w", encoding="utf-8")
    except OSError as error:
        print(f"{title}: {machine_trouble(error) or error}", file=sys.stderr)
        sys.exit(1)
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    to_screen = logging.StreamHandler(sys.stderr)
    to_screen.setLevel(logging.WARNING)
    to_screen.setFormatter(logging.Formatter(f"{title}: %(levelname)s: %(message)s"))
    logger.setLevel(logging.INFO)
    logger.addHandler(to_screen)
    # What libraries warn of concerns us, not the user: the root logger takes it to the log file alone.
    logging.captureWarnings(True)
    logging.getLogger().addHandler(to_file)
    hooks = sys.excepthook, sys.unraisablehook
    sys.excepthook, sys.unraisablehook = _log_trace, _log_unraisable
    start = time.monotonic()
    try:
        yield logger
        logger.info("finished after %.2f s", time.monotonic() - start)
    except InputError as error:
        logger.removeHandler(to_screen)
        logger.exception("stopped")
        print(f"{title}: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        trouble = machine_trouble(error)
        if trouble is None:
            logger.exception("failed with an error that is not the input's fault")
            sys.exit(1)
        logger.removeHandler(to_screen)
        logger.exception("stopped")
        to_file.close()
        print(f"{title}: {trouble}", file=sys.stderr, flush=True)
        # At once: files that could not be written would be closed now, which HDF5 does not survive.
        os._exit(1)
    finally:
        sys.excepthook, sys.unraisablehook = hooks
        logger.removeHandler(to_screen)
        logging.getLogger().removeHandler(to_file)
        logging.captureWarnings(False)
        to_file.close()


class _LogFile(logging.FileHandler):
    """A log file that is silent where its disk is full: what counts is on the screen."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _log_trace(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Keep in the log what libraries in C print of errors that they meet while freeing what they hold."""
    logging.getLogger().info("an error beside the one that counts", exc_info=(kind, error, trace))


def _log_unraisable(unraisable: object) -> None:
    _log_trace(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)
