"""What YouTube costs: looks, waiting monitors, and a stream that is followed for days.

    python -m benchmarks.youtube          looks and waiting monitors
    python -m benchmarks.youtube.soak     a day of segments through many lives of signed URLs

Both run against the stand-in of the site in `simulator.youtube`, with the real resolvers.
"""
