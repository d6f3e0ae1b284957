#!/bin/sh
# make-env.sh: writes .env with new keys, from .env.example. One that exists is left alone: its
# POSTGRES_PASSWORD opens the database that was made with it, and its SECRETS_KEY what lies there.
set -eu
cd "$(dirname "$0")/../.."

if [ -e .env ]; then
    echo ".env exists: it holds the keys of your deployment, and is left as it is" >&2
    exit 1
fi

key() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
while IFS= read -r line; do
    case $line in
        [A-Z]*=) echo "$line$(key)" ;;
        *) printf '%s\n' "$line" ;;
    esac
done <.env.example >.env.new
mv .env.new .env
echo "Wrote .env with new keys."
