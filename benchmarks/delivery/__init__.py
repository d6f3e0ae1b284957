"""Whether webhooks arrive, measured: `python -m benchmarks.delivery --help`.

`defaults`: a thousand events go to a receiver that answers 500, hangs and resets connections, while
the worker that delivers them is killed and started again; what exhausts its attempts is sent again
by the API. `patient`: the same with more attempts, so that nothing is. `neighbours`: good streams
beside hostile ones. Real processes on loopback; each run ends by itself.
"""
