"""What scores stand for, and what may be claimed from them. Standard library only."""

import math

# Label of every score whose test patient was trained on.
WITHIN_PATIENT = "within-patient replicates"
UNSEEN_PATIENT = "unseen patients"
# Used in its place for predictions that cannot be scored.
NOT_SCORED = "not scored"

# With fewer patients, nothing is claimed about any other patient.
MIN_PATIENTS_CLAIM = 3


def half(number: int) -> int:
    """Half of a number of tests, rounded up."""
    return math.ceil(number / 2)


def claim(protocol: str, patients: int, is_predicted: bool, is_predicted_depth_free: bool) -> str:
    """Say what may be claimed about a gene, and what not.

    Parameters
    ----------
    protocol
        What the scores stand for.
    patients
        Number of tested patients.
    is_predicted
        Whether the gene passed the partial conjunction test over them.
    is_predicted_depth_free
        Whether it did so given the spots' sequencing depth.
    """
    words = f"predicted in at least {half(patients)} of {patients} tested patients"
    if not is_predicted_depth_free:
        words += ", but not beyond sequencing depth"
    return "; ".join(filter(None, [words if is_predicted else "no claim", caveat(protocol, patients)]))


def caveat(protocol: str, patients: int) -> str:
    """Say what cannot be claimed, whatever the genes; empty where a claim is allowed."""
    if WITHIN_PATIENT in protocol:
        return "tested on other sections of the same patients, nothing is claimed of any other patient"
    if patients < MIN_PATIENTS_CLAIM:
        return "too few patients to claim anything of others"
    return ""
