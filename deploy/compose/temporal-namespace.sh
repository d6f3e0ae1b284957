#!/bin/sh
# Makes the namespace and registers the search attributes that the gateway needs to be ready.
set -eu

register() {
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
        --name "$1" --type Keyword
}

until temporal operator cluster health >/dev/null 2>&1; do sleep 1; done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

for name in MonitorName MonitorStatus StreamStatus VideoHealth AudioHealth StreamKey; do
    # A new namespace is known everywhere only after some seconds.
    tries=0
    until register "$name"; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || exit 1
        sleep 1
    done
done
