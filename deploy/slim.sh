#!/bin/sh
# slim.sh SITE_PACKAGES: takes out of installed packages what no process of ours uses. Each part is
# worth at least 10 MB. A folder that a newer package no longer has stops the build.
set -eu
cd "$1"

# Symbols for debuggers. The folders named *.libs were relinked when their wheels were made, which
# strip may break, and have hardly any.
find . -path './*.libs' -prune -o -name '*.so' -type f -exec strip --strip-unneeded {} +

# Names of countries and languages in other languages than English: streamlink reads the English.
rm -r pycountry/locales

# Kubernetes' clients of all groups of its API but the core one, and the synchronous twin of all of
# them: ours is kubernetes.aio. They are loaded by name only. What describes objects stays.
rm -r kubernetes/client/api
find kubernetes/client/models -name '*.py' ! -name __init__.py -delete
find kubernetes/aio/client/api -name '*_api.py' ! -name core_v1_api.py -delete

# Tests of packages. Our own are not below a package; the demo's origin is among them.
find . -mindepth 2 -type d -name tests -prune -exec rm -r {} +
