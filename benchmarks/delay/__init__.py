"""How long after they could be known faults and their ends are told.

`python -m benchmarks.delay`: the whole service watches live streams with scripted faults of every
kind. The delay is from the publication of the segment that completes a fault or a recovery to the
arrival of its webhook. Of a stall it is from the moment at which its threshold has passed since the
last publication.

The baseline is what services like this one used to do: look at the newest segment every 10 s, and
alert after three bad looks in a row. It is arithmetic on the same moments of the same streams, each
stream with looks of a phase of its own, and it is flattered: a look costs no time, sees a fault in
the first segment that holds any of it, and misses none that is over before the third look. Two
ratios are printed:

- of delays: the 95th percentile of what a look every 10 s adds, were one look enough, to ours;
- of alerts: from a fault's first moment to its alert, three looks to ours. This one holds the
  thresholds of this benchmark (2.25 segments, 3 of a stall), which no three looks could have.
"""
