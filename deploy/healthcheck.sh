#!/bin/bash
# healthcheck [PATH]: exits 0 when the process of this container answers 200 at PATH, on a worker's
# HEALTH_PORT or the gateway's PORT. A shell, since starting Python every few seconds costs more
# than the answer.
set -u

answers() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    read -r _ status _ <&3
    [[ $status == 200 ]]
}

for port in "${HEALTH_PORT:-8081}" "${PORT:-8080}"; do
    (answers "$port" "${1:-/healthz}") 2>/dev/null && exit 0
done
exit 1
