"""The schemes of evaluation that a study may use."""

from ressat.base.registry import Registry

SCHEMES = Registry(
    "scheme of evaluation",
    "ressat.workflow.schemes",
    ("holdout", "leave_one_patient_out", "leave_one_section_out", "patient_kfold"),
)
