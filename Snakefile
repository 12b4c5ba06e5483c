# The graph of a profile's runs; `make reproduce` and `make plan` call it, and so may a cluster:
#     snakemake --config profile=scenes [pairs="lr=1e-4 seeds=[0,1]"] [gpu=1] [threads=8] --cores all
# Nodes: the profile's parameter files, one node for each member of a sweep, and the runs of its bases that these
# read. Edges: the run.input("...") and run.members("...") calls in the notebooks. Only metrics.json is declared as
# output: what else lies in a run folder (manifest, shards, checkpoints) survives failures and kills.
import fcntl
import os
import shlex
import sys

sys.path.insert(0, workflow.basedir)
from tinyemo.paths import ROOT, runs_dir
from tinyemo.runs.profiles import Profile, graph, library_of, notebook_path, pairs_of

profile = Profile.find(config.get("profile", "smoke"))
steps = graph(profile, pairs_of(config.get("pairs") or ""))
library = {stem: library_of(notebook_path(stem)) for stem in {step.stem for step in steps}}


workdir: str(runs_dir())


# one writer a profile: the system's lock ends with its owner, Snakemake's own outlives a kill -9 (--nolock)
locks = []
if not workflow.dryrun and not workflow.remote_exec:
    for home in sorted({step.home for step in steps}):  # all in one order: no two wait for each other
        locks.append(open(f".{home.replace('/', '-')}.lock", "w"))
        try:
            fcntl.flock(locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another process makes {home}: waiting for it to end", file=sys.stderr, flush=True)
            fcntl.flock(locks[-1], fcntl.LOCK_EX)


rule all:
    input:
        [f"{step.folder}/metrics.json" for step in steps],


for step in steps:

    rule:
        name:
            f"run_{step.name}" if step.profile == profile else f"run_{step.folder}"
        input:
            notebook=notebook_path(step.stem),
            parameters=step.profile.file(step.stem),
            library=library[step.stem],
            upstream=[f"{folder}/metrics.json" for folder in step.upstream],
        output:
            f"{step.folder}/metrics.json",
        params:
            root=ROOT,
            out=runs_dir() / step.folder,
            profile=step.profile.folder,
            notebook=notebook_path(step.stem),
            # a function, for a brace in plain text would be a wildcard's
            pairs=lambda wildcards, step=step: " ".join(
                f"-p {shlex.quote(f'{key}={value}')}" for key, value in step.pairs.items()
            ),
        # one step at a time on one machine, but a sweep's members side by side, each on one core
        threads: 1 if step.swept else int(config.get("threads", workflow.cores or 1))
        resources:
            gpu=int(config.get("gpu", 0)),
        shell:
            "cd {params.root:q} && {sys.executable:q} -m tinyemo.run {params.notebook:q}"
            " --profile {params.profile:q} --out {params.out:q} {params.pairs}"
