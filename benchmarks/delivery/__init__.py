"""Whether webhooks arrive, measured: `python -m benchmarks.delivery --help`.

`losses`: a thousand events go to a receiver that answers 500, hangs and resets connections, while
the worker that delivers them is killed and started again. `neighbours`: good streams beside hostile
ones. Real processes on loopback; each run ends by itself.
"""
