# The graph of a profile's runs. `make reproduce` and `make plan` call it, and so may a cluster:
#     snakemake --config profile=scenes [pairs="lr=1e-4 seeds=[0,1]"] [only=10_zero_shot_table]
#         [gpu=1] [threads=8] --cores all --keep-going
# Nodes: the profile's parameter files, one node for each member of a sweep, and the runs of its bases that
# these read. Edges: the run.input("...") and run.members("...") calls in the notebooks.
# Only metrics.json is declared as output: the other files of a run folder (manifest, shards, checkpoints)
# survive failures and kills.
# What makes a finished run stale is decided by its manifest, not by the times of files: the digests of its
# code, parameters and data (tinyemo.runs.inputs). So an edited comment runs nothing again, and a run that
# was made by hand (`tinyemo run`) counts like one that was made here.
import fcntl
import os
import sys
import time

sys.path.insert(0, workflow.basedir)
os.chdir(workflow.basedir)  # relative paths are relative to the checkout, as in make
from tinyemo.paths import ROOT, runs_dir
from tinyemo.runs.forecast import forecast
from tinyemo.runs.inputs import stale_inputs
from tinyemo.runs.profiles import Profile, graph, pairs_of, stems_of

RUNS = runs_dir()
pairs, only = str(config.get("pairs") or ""), str(config.get("only") or "")
try:
    profile = Profile.find(str(config.get("profile", "smoke")))
    steps = graph(profile, pairs_of(pairs), stems_of(only))
    stale = {step.folder: stale_inputs(RUNS / step.folder, step.values()) for step in steps}
except (ValueError, FileNotFoundError) as error:
    print(error, file=sys.stderr, flush=True)  # Snakemake would print a traceback around it
    os._exit(2)
for folder, names in stale.items():
    if names:
        print(f"{folder} is stale: {', '.join(names)} changed since", file=sys.stderr)
        # A file that is newer than any result: as an input it makes Snakemake run the step again. Its
        # content is new too, because Snakemake ignores a newer file with an old checksum.
        (RUNS / ".stale").write_text(str(time.time_ns()))
if not workflow.remote_exec:
    late = {folder for folder, names in stale.items() if names}
    for sentence in forecast(profile, steps, late):
        print(sentence, file=sys.stderr, flush=True)


workdir: str(RUNS)


RUNS.mkdir(parents=True, exist_ok=True)
os.chdir(RUNS)  # where --directory is given, `workdir` does nothing


# One writer per profile. The system's lock ends with its owner; Snakemake's own survives a kill -9 (--nolock).
locks = []
if not workflow.dryrun and not workflow.remote_exec:
    for home in sorted({step.home for step in steps}):  # always in this order: no two wait for each other
        locks.append(open(f".{home.replace('/', '-')}.lock", "w"))
        try:
            fcntl.flock(locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another process makes {home}: waiting for it to end", file=sys.stderr, flush=True)
            fcntl.flock(locks[-1], fcntl.LOCK_EX)


def longest_chain(folder):
    """How many steps, one after another, wait for this one."""
    waiting = [step.folder for step in steps if folder in step.upstream]
    return max((1 + longest_chain(other) for other in waiting), default=0)


def verbatim(value):
    """A value for `params`: as a function, because a brace in plain text would be a wildcard's."""
    return lambda wildcards: value


rule all:
    input:
        [f"{step.folder}/metrics.json" for step in steps],


for step in steps:

    rule:
        name:
            f"run_{step.name}" if step.profile == profile else f"run_{step.folder}"
        input:
            upstream=[f"{folder}/metrics.json" for folder in step.upstream],
            stale=[".stale"] if stale[step.folder] else [],
        output:
            f"{step.folder}/metrics.json",
        params:
            # Another value of one of these makes the step run again. So no folder is among them that
            # is different where results were moved or copied.
            stem=verbatim(step.stem),
            profile=verbatim(step.profile.argument),
            folder=verbatim(step.folder),
            upstream=verbatim(step.upstream),
            pairs=verbatim([word for pair in step.pairs.items() for word in ("-p", "=".join(pair))]),
        # one step at a time on one machine, but a sweep's members side by side, each on one core
        threads: 1 if step.swept else int(config.get("threads", workflow.cores or 1))
        # side by side, the steps that most others wait for come first
        priority: longest_chain(step.folder)
        resources:
            gpu=int(config.get("gpu", 0)),
        shell:
            "cd {ROOT:q} && {sys.executable:q} -m tinyemo.run {params.stem:q}"
            " --profile {params.profile:q} --out {RUNS:q}/{params.folder:q} {params.pairs:q}"
