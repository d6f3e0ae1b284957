#!/bin/sh
# Makes Temporal's two databases, or brings them to the form that this version of it needs.
set -eu

prepare() {
    database=$1
    versions=/etc/temporal/schema/postgresql/v12/$2/versioned
    tool="temporal-sql-tool --plugin $SQL_PLUGIN --ep $SQL_HOST -p $SQL_PORT -u $SQL_USER --db $database"
    $tool create
    # A database that has no version yet cannot be updated: then, and only then, it is set up.
    $tool update-schema -d "$versions" && return
    $tool setup-schema -v 0.0
    $tool update-schema -d "$versions"
}

prepare temporal temporal
prepare temporal_visibility visibility
