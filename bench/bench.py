#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Times bulkhead against the floor and against its peers, all in one run.

Every runtime starts the same static no-op on the same tiny rootfs, in turn (bench/turns.c), so
the ratios hold on a busy machine, too. The kernel ends a network namespace in the background,
after its container: one contest goes on at once, another lets the machine rest between turns.
Prints tables and writes all figures as JSON.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from contest import ALL, SOME, BenchError, Ground, Peer, enter_own_mounts, entries, trouble

Times = dict[str, list[float]]
Row = dict[str, Any]


REST_MS = 5


def take_turns(ground: Ground, peers: list[Peer], rounds: int, together: int = 1,
               rest_ms: int = 0) -> Times:
    """The times in microseconds of each peer's no-op, TOGETHER copies at once, by peer."""
    argv = [ground.tool("turns"), str(rounds), str(together), str(rest_ms)]
    for peer in peers:
        argv += [*peer.command(ground, "noop"), ";;"]
    done = subprocess.run(argv[:-1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"the contest ended early: {done.stderr.strip()}")
    return dict(zip((peer.name for peer in peers), json.loads(done.stdout)))


def paired(times: Times, name: str, other: str) -> float | None:
    """The median, over the rounds, of NAME's time to OTHER's in the same round."""
    if name not in times or other not in times:
        return None
    return statistics.median(a / b for a, b in zip(times[name], times[other]))


def start_rows(peers: list[Peer], times: Times) -> list[Row]:
    """The main table."""
    rows: list[Row] = []
    for peer in peers:
        own = sorted(times[peer.name])
        rows.append({
            "name": peer.name,
            "min_us": own[0],
            "median_us": statistics.median(own),
            "p90_us": own[len(own) * 9 // 10],
            "to_floor": paired(times, peer.name, peer.floor),
            "to_bulkhead": paired(times, peer.name, peer.ours),
        })
    return rows


def memory_of(pid: int) -> dict[str, int]:
    """What process PID holds, in bytes: its proportional share, and what is its alone."""
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        key, value = line.split(":")
        fields[key] = int(value.split()[0]) * 1024
    return {"pss": fields["Pss"], "private": fields["Private_Clean"] + fields["Private_Dirty"]}


def watch(ground: Ground, peer: Peer) -> Row:
    """The memory of the process that PEER leaves on the host while its container runs."""
    with subprocess.Popen(peer.command(ground, "hold"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        ready = process.stdout.readline() == b"ready\n"
        held = memory_of(process.pid) if ready else {}
        process.stdin.close()
    if not ready or process.returncode:
        raise BenchError(f"{peer.name} did not hold a container: status {process.returncode}")
    return {"name": peer.name, **held}


def stripped_size(binary: Path, ground: Ground) -> int | None:
    """The size in bytes of BINARY without symbols; None when it is absent or strip is."""
    copy = ground.path / "stripped"
    if not binary.exists() or not shutil.which("strip"):
        return None
    subprocess.run(["strip", "-o", str(copy), str(binary)], check=True)
    return copy.stat().st_size


def crowd_rows(times: Times, crowd: Times, copies: int) -> list[Row]:
    """Copies started at once: time per container, next to that of one alone."""
    rows: list[Row] = []
    for name, walls in crowd.items():
        alone = statistics.median(times[name])
        each = statistics.median(walls) / copies
        rows.append({"name": name, "alone_us": alone, "each_us": each, "ratio": each / alone})
    return rows


def goal_rows(result: Row) -> list[Row]:
    """The project's aims, each with what was measured; None where nothing was."""
    start = {row["name"]: row for row in result["start"]}
    rested = {row["name"]: row for row in result["start_rested"]}
    memory = {row["name"]: row for row in result["memory"]}
    crowd = {row["name"]: row for row in result["together"]}
    some = "bulkhead --share net,ipc,cgroup"

    def find(rows: dict[str, Row], name: str, key: str) -> float | None:
        return rows[name][key] if name in rows else None

    aims: list[tuple[str, float | None, str, float]] = [
        ("start, default isolation, x floor", find(start, "bulkhead", "to_floor"), "<=", 1.35),
        ("the same, rested, x floor", find(rested, "bulkhead", "to_floor"), "<=", 1.35),
        (f"start, {SOME} alone, x floor", find(start, some, "to_floor"), "<=", 1.25),
        (f"{SOME}, rested, x floor", find(rested, some, "to_floor"), "<=", 1.25),
        (f"unshare {SOME}, x ours", find(start, f"unshare {SOME}", "to_bulkhead"), ">=", 1.0),
        (f"unshare {ALL}, x ours", find(start, f"unshare {ALL}", "to_bulkhead"), ">=", 1.0),
        ("bwrap, x ours", find(start, "bwrap", "to_bulkhead"), ">=", 3.0),
        ("crun, x ours", find(start, "crun", "to_bulkhead"), ">=", 4.0),
        ("runc, x ours", find(start, "runc", "to_bulkhead"), ">=", 1.0),
        ("stripped binary, KiB", _kib(result["stripped_bytes"]), "<=", 150),
        ("supervisor's PSS, KiB", _kib(find(memory, "bulkhead", "pss")), "<=", 400),
        ("one of many at once, x one alone", find(crowd, "bulkhead", "ratio"), "<=", 1.3),
    ]
    return [{"goal": goal, "measured": value, "want": f"{sense} {bound:g}",
             "met": None if value is None else value <= bound if sense == "<=" else value >= bound}
            for goal, value, sense, bound in aims]


def _kib(size: float | None) -> float | None:
    return None if size is None else size / 1024


def show(title: str, rows: list[Row], columns: dict[str, str]) -> None:
    """Prints ROWS; COLUMNS gives the heading of each key, the first one left-aligned."""
    if not rows:
        return

    def text(value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "NO"
        if isinstance(value, float):
            return f"{value:.2f}" if value < 100 else f"{value:.0f}"
        return "-" if value is None else str(value)

    cells = [list(columns.values())] + [[text(row[key]) for key in columns] for row in rows]
    wide = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    print(f"\n{title}")
    for line in cells:
        numbers = [cell.rjust(width) for cell, width in zip(line[1:], wide[1:])]
        print("  " + "  ".join([line[0].ljust(wide[0]), *numbers]).rstrip())


def report(result: Row) -> None:
    """Prints everything that was measured."""
    print(f"{result['machine']}; {result['rounds']} rounds")
    for remark in result["remarks"]:
        print(f"note: {remark}")
    for name, reason in result["absent"].items():
        print(f"left out: {name}: {reason}")
    starts = {"name": "", "min_us": "min", "median_us": "median", "p90_us": "p90",
              "to_floor": "x floor", "to_bulkhead": "x bulkhead"}
    show("Start to exit of a static no-op, microseconds", result["start"], starts)
    show(f"The same, {REST_MS} ms after the one before", result["start_rested"], starts)
    show(f"{result['copies']} at once, microseconds for each", result["together"],
         {"name": "", "alone_us": "alone", "each_us": "each", "ratio": "ratio"})
    show("Memory of the supervising process, bytes", result["memory"],
         {"name": "", "pss": "PSS", "private": "private"})
    show("Goals", result["goals"],
         {"goal": "", "measured": "measured", "want": "want", "met": "met"})


def measure(ground: Ground, args: argparse.Namespace) -> Row:
    """Runs the whole contest on GROUND."""
    absent: dict[str, str] = {}
    remark = enter_own_mounts()
    peers: list[Peer] = []
    for peer in entries(ground, args.bulkhead):
        reason = trouble(peer, ground)
        if reason:
            absent[peer.name] = reason
        else:
            peers.append(peer)
    remarks = [remark] if remark else []
    remarks += [f"{peer.name} runs with {' '.join(peer.more[0])}" for peer in peers if peer.more[0]]
    times = take_turns(ground, peers, args.rounds)
    rested = take_turns(ground, peers, args.rounds, rest_ms=REST_MS)
    many = [peer for peer in peers if peer.argv and not peer.bundle]
    crowd = take_turns(ground, many, max(3, args.rounds // 40), args.copies)
    result: Row = {
        "machine": f"Linux {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs",
        "rounds": args.rounds,
        "copies": args.copies,
        "remarks": remarks,
        "absent": absent,
        "start": start_rows(peers, times),
        "start_rested": start_rows(peers, rested),
        "together": crowd_rows(times, crowd, args.copies),
        "memory": [watch(ground, peer) for peer in peers if peer.argv],
        "stripped_bytes": stripped_size(args.bulkhead, ground),
        "samples_us": times,
        "samples_rested_us": rested,
    }
    result["goals"] = goal_rows(result)
    return result


def parse_args(argv: list[str]) -> argparse.Namespace:
    """The command line; paths are made absolute."""
    parser = argparse.ArgumentParser(prog="bench.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), metavar="DIR",
                        help="where bulkhead and bench/ were built (default: build)")
    parser.add_argument("--bulkhead", type=Path, metavar="FILE",
                        help="the binary to time (default: DIR/bulkhead)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: DIR/bench.json")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 400; with --quick 40")
    parser.add_argument("--copies", type=int, default=200, metavar="N",
                        help="containers at once (default: 200)")
    parser.add_argument("--quick", action="store_true", help="few rounds: a first look")
    args = parser.parse_args(argv)
    args.build = args.build.resolve()
    args.bulkhead = (args.bulkhead or args.build / "bulkhead").resolve()
    args.json = args.json or args.build / "bench.json"
    if args.rounds is None:
        args.rounds = 40 if args.quick else 400
    if args.rounds < 1 or args.copies < 1:
        parser.error("--rounds and --copies take a number above 0")
    return args


def main(argv: list[str]) -> int:
    """Returns the exit status: 0; 1 when it could not measure; 130 when interrupted."""
    args = parse_args(argv)
    try:
        if os.geteuid() != 0:
            raise BenchError("needs root: the floor makes namespaces without a user namespace")
        with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as path:
            os.chmod(path, 0o755)
            result = measure(Ground(Path(path), args.build), args)
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        print("bench.py: interrupted", file=sys.stderr)
        return 130
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        print(f"bench.py: {error}", file=sys.stderr)
        return 1
    report(result)
    print(f"\nall samples: {args.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
