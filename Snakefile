# The graph of a profile's notebooks; `make reproduce` and `make plan` call it, and so may a cluster:
#     snakemake --config profile=scenes [pairs="lr=1e-4 seeds=[0,1]"] [gpu=1] [threads=8] --cores all
# Nodes: the profile's parameter files. Edges: the run.input("...") calls in the notebooks. Only metrics.json is
# declared as output: what else lies in a run folder (manifest, shards, checkpoints) survives failures and kills.
import fcntl
import os
import shlex
import sys

sys.path.insert(0, workflow.basedir)
from tinyemo.paths import ROOT, runs_dir
from tinyemo.profiles import Profile, library_of, notebook_path, pairs_of, run_name

profile = Profile.find(config.get("profile", "smoke"))
pairs = pairs_of(config.get("pairs") or "")
taken = {stem: profile.pairs_for(stem, pairs) for stem in profile.stems}
folder = run_name(profile.name, pairs)


workdir: str(runs_dir())


if not workflow.dryrun and not workflow.remote_exec:
    # one writer a profile: the system's lock ends with its owner, Snakemake's own outlives a kill -9 (--nolock)
    lock = open(f".{folder.replace('/', '-')}.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"another process makes {folder}: waiting for it to end", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


rule all:
    input:
        [f"{folder}/{stem}/metrics.json" for stem in profile.stems],


for stem in profile.stems:

    rule:
        name:
            f"run_{stem}"
        input:
            notebook=notebook_path(stem),
            parameters=profile.file(stem),
            library=library_of(notebook_path(stem)),
            upstream=[f"{folder}/{other}/metrics.json" for other in profile.upstream(stem)],
        output:
            f"{folder}/{stem}/metrics.json",
        params:
            root=ROOT,
            out=runs_dir() / folder / stem,
            profile=profile.folder,
            notebook=notebook_path(stem),
            pairs=" ".join(f"-p {shlex.quote(f'{key}={value}')}" for key, value in taken[stem].items()),
        threads: int(config.get("threads", workflow.cores or 1)) # so one step at a time on one machine
        resources:
            gpu=int(config.get("gpu", 0)),
        shell:
            "cd {params.root:q} && {sys.executable:q} -m tinyemo.run {params.notebook:q}"
            " --profile {params.profile:q} --out {params.out:q} {params.pairs}"
