# What is printed when a run ends: what the checks found, and what failed.

import atexit
import time

from ressat.workflow.available import failures_text, places_of
from ressat.workflow.check_outcome import CheckOutcome, log_states, records_of_other_sheets
from ressat.workflow.check_table import study_table
from ressat.workflow.failures import failures_of, still_failing, write_failures

start_time = time.time()
study_folder = os.getcwd()
# The names of these targets in an importing workflow.
all_target, check_target = map(workflow.modifier.modify_rulename, ["all", "check"])


def is_checked():
    """Whether the target `check` was asked for."""
    return workflow.dag_settings and check_target in workflow.dag_settings.targets


def check_records(wildcards):
    """The records of all checks; those of another sheet are made again.

    Snakemake knows them by its own notes, which a copied study does not have. Its DAG is being built when it asks.
    """
    workflow.dag.forcefiles.update(prefix + file for file in records_of_other_sheets(study, prefix or "."))
    return expand("results/checks/{sample}.json", sample=study.sections)


def print_checks():
    """Say what all checks found, once Snakemake ends with the target `check`, if it had nothing to do too."""
    # Without a scheduler, Snakemake stopped before it looked at what is up to date, and says why.
    if is_checked() and workflow.scheduler and not workflow.dryrun:
        os.chdir(study_folder)  # Snakemake has left it
        folder = prefix or "."
        ended = [job for job in workflow.dag.jobs if workflow.dag.noneedrun_finished(job)]
        passed = [os.path.relpath(file, folder) for job in ended for file in job.output]
        outcome = CheckOutcome.of_run(passed, earlier_logs, log_states(study, folder))
        print(study_table(study, folder, count_gpus(), outcome), file=sys.stderr)


def print_failures():
    """Say which jobs of this run failed, and why, once Snakemake ends; keep it for the target `available`."""
    scheduler = workflow.scheduler
    if scheduler is None or workflow.dryrun or workflow.touch:
        return
    os.chdir(study_folder)  # Snakemake has left it
    # Clocks of the machines of a cluster differ a little.
    since = start_time - (300 if workflow.non_local_exec else 1)
    failed = []
    for one in scheduler.failed:
        failed += failures_of(
            [
                (
                    script := Path(str(job.rule.script)).stem,
                    places_of(study, script, job.wildcards_dict),
                    job.log[0],
                    job.output,
                )
                for job in (one.jobs if one.is_group() else [one])
                # Other rules are those of a workflow that imports this one.
                if job.rule.module_globals is globals()
            ],
            since,
        )
    failed.sort(key=lambda one: one.key)
    targets = set(workflow.dag_settings.targets)
    planned = None
    if not targets or all_target in targets:
        planned = {str(output) for job in workflow.dag.jobs for output in job.output}
    try:
        write_failures(Path(prefix, RECORD), [*failed, *still_failing(failures, failed, planned)])
    except OSError as error:
        print(f"{RECORD} could not be written: {error.strerror}.", file=sys.stderr)
    if failed and check_target not in targets:
        command = [word for word in sys.argv[1:] if word not in targets]
        text = failures_text(study, failed, target=available_target, command=command)
        print(f"\n{text}", file=sys.stderr)


if workflow.is_main_process:
    earlier_logs = log_states(study, prefix or ".")
    atexit.register(print_checks)
    atexit.register(print_failures)
