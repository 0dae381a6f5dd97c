#!/bin/sh
# Runs once, when the container makes its data. The owner of the database is no superuser.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$OWNER_PASSWORD" --username=postgres postgres <<'END'
CREATE ROLE hksz LOGIN PASSWORD :'password';
CREATE DATABASE hksz OWNER hksz;
END
