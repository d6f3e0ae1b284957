"""Lists the benchmarks, or runs one: `python -m benchmarks [NAME [OPTIONS]]`."""

import runpy
import sys

BENCHMARKS = {
    "probe": "what measuring a minute of a stream costs, beside other ways and decoding alone",
    "delay": "how long after they could be known faults of each kind are told",
    "density": "how many streams one machine watches in time",
    "engine": "what a monitor costs Temporal and the database in an hour",
    "scale": "what thousands of monitors cost around their probes",
    "gateway": "how fast the gateway lists, shows and creates, beside bare workflow starts",
    "incidents": "how long lists of incidents take, with each filter, among a million",
    "listeners": "what listeners of changes cost the gateway",
    "page": "what the wall costs a browser and the gateway",
    "coverage": "how long a month's availability of a thousand monitors takes",
    "capsules": "that capsules are judged again to the same events, and no byte can be changed",
    "contract": "that no request makes the gateway fail or break its own description",
    "delivery": "that no webhook is lost, and that hostile streams do not delay others",
    "field": "that streams of real encoders and packagers are watched as they are",
    "hostile": "that clients, origins, receivers and DNS zones that mean no good harm nobody",
    "truth": "that the detectors say what viewers see and hear, beside ffmpeg's filters",
    "youtube": "what looks at YouTube and waiting monitors cost",
    "youtube.soak": "that 24 simulated hours of YouTube lose no segment",
    "pods": "what Pods cost: starts, API calls, orphans",
    "chaos": "what is noticed when processes die",
}


def main() -> int:
    """List, or run the benchmark that the first argument names with the others."""
    if len(sys.argv) < 2:
        for name, purpose in BENCHMARKS.items():
            print(f"{name:14} {purpose}")
        return 0
    name = sys.argv.pop(1)
    if name not in BENCHMARKS:
        print(f"no benchmark {name!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    sys.argv[0] = f"benchmarks.{name}"
    runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
