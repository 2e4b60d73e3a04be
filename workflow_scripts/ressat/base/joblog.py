"""What a job says: the whole story in its log file, one sentence on the screen."""

import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from ressat.base.errors import InputError
from ressat.base.last_words import BUG, FINISHED, STARTED, STOPPED
from ressat.base.machine import machine_trouble
from ressat.base.ownership import claim_outputs, end_with_run, release_outputs

logger = logging.getLogger("ressat")


@contextmanager
def job_log(log_file: str, title: str) -> Iterator[logging.Logger]:
    """Log a script's messages and warnings to its log file, and end it cleanly on errors.

    An `InputError` ends the script with status 1 and its one sentence on the screen, and so does machine
    trouble, such as a full disk; the stack trace goes to the log only. Any other exception is a bug of ours:
    it is logged and shown. A full disk under the log itself hides none of this and does not stop the job.
    The job ends with the run that started it, and writes no results once a newer job has started the same log
    (see `ressat.base.ownership`).

    Parameters
    ----------
    log_file
        The rule's log file.
    title
        What the job works on, e.g. ``"tile_slide C2"``; starts every line on the screen.

    Yields
    ------
    logging.Logger
        The logger ``ressat``: info goes to the file, warnings to the screen too.
    """
    try:
        # An orphan of a killed run may still write to the old file, which is its own from now on.
        with suppress(OSError):
            os.unlink(log_file)
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
    # Library warnings concern us, not the user: the root logger sends them to the log file only.
    logging.captureWarnings(True)
    logging.getLogger().addHandler(to_file)
    hooks = sys.excepthook, sys.unraisablehook
    sys.excepthook, sys.unraisablehook = _log_trace, _log_unraisable
    start = time.monotonic()
    logger.info("%s%s as process %d of %s", STARTED, title, os.getpid(), socket.gethostname())
    claim_outputs(log_file)
    try:
        end_with_run()
        yield logger
        logger.info("%s%.2f s", FINISHED, time.monotonic() - start)
    except KeyboardInterrupt:
        logger.removeHandler(to_screen)
        logger.error("%sit was interrupted.", STOPPED)
        raise
    except InputError as error:
        logger.removeHandler(to_screen)
        logger.exception("%s%s", STOPPED, error)
        print(f"{title}: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        trouble = machine_trouble(error)
        if trouble is None:
            logger.exception(BUG)
            sys.exit(1)
        logger.removeHandler(to_screen)
        logger.exception("%s%s", STOPPED, trouble)
        to_file.close()
        print(f"{title}: {trouble}", file=sys.stderr, flush=True)
        # Exit at once: a normal exit would close the files that could not be written, and HDF5 would crash.
        os._exit(1)
    finally:
        release_outputs()
        sys.excepthook, sys.unraisablehook = hooks
        logger.removeHandler(to_screen)
        logging.getLogger().removeHandler(to_file)
        logging.captureWarnings(False)
        to_file.close()


class _LogFile(logging.FileHandler):
    """A log file that stays silent when its disk is full: what matters is on the screen."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _log_trace(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log the errors that C libraries print while freeing their resources."""
    logging.getLogger().info("a further error, besides the one that matters", exc_info=(kind, error, trace))


def _log_unraisable(unraisable: object) -> None:
    _log_trace(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)
