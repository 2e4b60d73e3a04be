"""What may be said of a gene that was tested on some patients, and what not. Standard library only."""

import math

from ressat.base import keys

# With fewer patients, nothing is claimed of any other.
MIN_PATIENTS = 3


def half(number: int) -> int:
    """Half of a number of tests, rounded up."""
    return math.ceil(number / 2)


def claim(protocol: str, patients: int, is_predicted: bool) -> str:
    """Say what may be claimed of a gene, and what not.

    Parameters
    ----------
    protocol
        What the scores stand for.
    patients
        Number of tested patients.
    is_predicted
        Whether the gene passed the partial conjunction test over them.
    """
    words = f"predicted in at least {half(patients)} of {patients} tested patients"
    return "; ".join(filter(None, [words if is_predicted else "no claim", caveat(protocol, patients)]))


def caveat(protocol: str, patients: int) -> str:
    """Say what cannot be claimed, whatever the genes; empty where a claim may stand."""
    if keys.WITHIN_PATIENT in protocol:
        return "tested on other sections of the same patients, nothing is claimed of any other patient"
    if patients < MIN_PATIENTS:
        return "too few patients to claim anything of others"
    return ""
