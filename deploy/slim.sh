#!/bin/sh
# slim.sh SITE_PACKAGES: removes from installed packages what no process of ours uses, 10 MB or more
# each. The build stops where a newer package no longer has one of these folders.
set -eu
cd "$1"

# Symbols for debuggers. The folders named *.libs were relinked when their wheels were made, which
# strip may break, and have hardly any.
find . -path './*.libs' -prune -o -name '*.so' -type f -exec strip --strip-unneeded {} +

# Names of countries and languages in languages other than English.
rm -r pycountry/locales

# Kubernetes' synchronous client, and the asynchronous clients of all API groups but the core one.
# They are loaded by name only. The models stay.
rm -r kubernetes/client/api
find kubernetes/client/models -name '*.py' ! -name __init__.py -delete
find kubernetes/aio/client/api -name '*_api.py' ! -name core_v1_api.py -delete

# Tests of packages.
find . -mindepth 2 -type d -name tests -prune -exec rm -r {} +
