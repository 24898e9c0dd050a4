#!/bin/bash
# The features of the official image that docker-compose.yml uses: POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD_FILE,
# and a server that listens on the network only once its database exists.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid postgres --regid postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" --auth-local trust \
        --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait start --options "-c listen_addresses=''"
    [ "$POSTGRES_DB" = postgres ] || createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
    pg_ctl --wait stop
fi
exec "$@" -c listen_addresses='*'
