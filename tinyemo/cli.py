"""The command line: `tinyemo predict`, `run`, `status`, `plan`, `results`, `check`, `streams`.

    tinyemo predict PATH ... [--labels "awe, relief"] [--explain]   the emotion of pictures
    tinyemo run STEM [--profile P] [-p key=value ...] [--out DIR]   run one notebook
    tinyemo status [--profile P]                                    list the runs and how they ended
    tinyemo plan PROFILE [--pairs "k=v ..."] [--only STEM]          list what a profile still needs
    tinyemo results [PROFILE] [--pairs "k=v ..."] [--commit]        print a profile's runs as tables
    tinyemo results --pages | --check                               write or check committed pages
    tinyemo check FILE [--images DIR]                               check an instruction file
    tinyemo streams SOURCE --out DIR --audio ENCODER ...            encode conversations, or clips

`python -m tinyemo.cli` is the same command. Each subcommand imports what it needs when it is
called, so that `tinyemo --help` is fast. Exit code 0: success; 1: the input is wrong or something
is missing; 2: the command line is wrong; `tinyemo run` has more (tinyemo.runs.runner).
"""

import argparse
import shlex
import sys
from pathlib import Path

# stream -> what its option of `tinyemo streams` names
STREAMS = {
    "text": "sentence encoder: a folder or hub id",
    "audio": "HuBERT, WavLM or wav2vec2: a folder or hub id; or opensmile:eGeMAPSv02",
    "video": "VideoMAE: a folder or hub id",
    "face": "ViT-MAE: a folder or hub id",
    "image": "CLIP or another image encoder for one frame: a folder, or a name of open_clip",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tinyemo", description="Small models for emotional reasoning.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_predict(commands)

    run = commands.add_parser("run", help="run one notebook")
    run.add_argument("stem", help="a notebook's name, such as 02_projector_training, or a path")
    run.add_argument("--profile", default="smoke", help="a folder under params/, or a path to one")
    run.add_argument("-p", dest="pairs", action="append", default=[], metavar="KEY=VALUE")
    run.add_argument("--out", type=Path, help="the run folder")
    run.set_defaults(command=_run, error=run.error)

    status = commands.add_parser("status", help="list the runs and how they ended")
    status.add_argument("--profile", help="only this profile's runs")
    status.set_defaults(command=_status)

    plan = commands.add_parser("plan", help="what a profile needs and this machine does not have")
    plan.add_argument("profile", help="a folder under params/, or a path to one")
    plan.add_argument("--pairs", default="", help="the key=value pairs of the runs")
    plan.add_argument("--only", default="", help="only these notebooks and what they need")
    plan.set_defaults(command=_plan)

    results = commands.add_parser("results", help="print runs as tables, or commit or check them")
    results.add_argument("profile", nargs="?", help="only this profile's runs")
    results.add_argument("--pairs", default="", help="the key=value pairs of the runs")
    results.add_argument("--only", default="", help="of the runs that are not made, only these")
    action = results.add_mutually_exclusive_group()
    action.add_argument("--commit", action="store_true", help="copy the runs to results/reference")
    action.add_argument("--pages", action="store_true", help="write the generated pages again")
    action.add_argument("--check", action="store_true", help="check the committed results")
    results.set_defaults(command=_results)

    check = commands.add_parser("check", help="check a file of instructions in LLaVA's format")
    check.add_argument("file", help="a JSON list or JSON lines")
    check.add_argument("--images", metavar="DIR", help="the folder that must hold every image")
    check.set_defaults(command=_check)

    streams = commands.add_parser("streams", help="encode conversations, or a folder of clips")
    streams.add_argument(
        "source", help="a folder of clips, a CSV of utterances, or the folder of IEMOCAP or MELD"
    )
    streams.add_argument("--out", type=Path, required=True, help="the folder for the streams")
    for stream, encoder in STREAMS.items():
        streams.add_argument(f"--{stream}", metavar="ENCODER", help=encoder)
    streams.add_argument(
        "--audio-layers", type=int, default=1, help="how many last layers are averaged"
    )
    streams.add_argument("--face-detector", default="cascades", help="cascades or yunet:FILE")
    streams.add_argument("--frame", default="middle", help="first, middle or sharpest, for --image")
    streams.add_argument("--image-weights", help="a tag of open_clip or a file, for --image")
    streams.add_argument("--device", help="cpu or cuda; the GPU if there is one")
    streams.set_defaults(command=_streams)
    return parser


def _add_predict(commands: argparse._SubParsersAction) -> None:
    predict = commands.add_parser(
        "predict",
        help="the emotion of pictures, or of the turns of conversations",
        description="The emotion of every picture: a table, or --json, --csv or --html.",
    )
    predict.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="picture, folder, or - for a list; a conversation CSV",
    )
    predict.add_argument("--label-set", default="ekman", help="ekman, mikels, parrott, unbiasedemo")
    predict.add_argument("--labels", default="", metavar="WORDS", help='such as "awe, boredom"')
    predict.add_argument("--explain", action="store_true", help="also say why")
    predict.add_argument(
        "--model",
        default="emoscenes",
        help="emoscenes (drawings), tinyemo-700m, -880m, -1.5b, -3.2b, a bundle or a profile",
    )
    predict.add_argument("--json", action="store_true", help="print one object per picture")
    predict.add_argument("--csv", default="", metavar="FILE", help="write a table")
    predict.add_argument("--html", default="", metavar="FILE", help="write a page with pictures")
    predict.add_argument("--device", help="cpu or cuda; the GPU if there is one")
    predict.set_defaults(command=_predict)


def _predict(options: argparse.Namespace) -> int:
    from tinyemo.predict.command import print_answers, question_of

    question = question_of(
        options.model, options.label_set, options.labels, options.explain, options.device
    )
    return print_answers(options.paths, question, options.json, options.csv, options.html)


def _run(options: argparse.Namespace) -> int:
    from tinyemo.runs import runner
    from tinyemo.runs.profiles import pairs_of

    try:
        pairs = pairs_of(shlex.join(options.pairs))
    except ValueError as error:
        options.error(str(error))  # exits with code 2
    return runner.run(options.stem, options.profile, pairs, options.out)


def _status(options: argparse.Namespace) -> int:
    from tinyemo.runs.runner import print_status

    print_status(options.profile)
    return 0


def _plan(options: argparse.Namespace) -> int:
    from tinyemo.runs.plan import print_plan
    from tinyemo.runs.profiles import pairs_of, stems_of

    print_plan(options.profile, pairs_of(options.pairs), stems_of(options.only))
    return 0


def _results(options: argparse.Namespace) -> int:
    from tinyemo.runs import results

    if options.check:
        return results.print_check()
    results.print_or_write(options.profile, options.pairs, options.commit, options.pages)
    if options.profile and not options.commit and not options.pages:
        results.print_unfinished(options.profile, options.pairs, options.only)
    return 0


def _check(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from tinyemo.data.instructions import check_file

    summary = check_file(options.file, options.images)
    counts = asdict(summary)
    problems = counts.pop("problems")
    for name, count in counts.items():
        print(f"{name.replace('_', ' '):<20}{count:>15,}")
    for problem in problems:
        print(problem)
    return 1 if summary.faulty else 0


def _streams(options: argparse.Namespace) -> int:
    from tinyemo.features.stream_folder import print_streams

    print_streams(
        options.source,
        {stream: getattr(options, stream) for stream in STREAMS},
        options.out,
        device=options.device,
        audio_layers=options.audio_layers,
        face_detector=options.face_detector,
        frame=options.frame,
        image_weights=options.image_weights,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
