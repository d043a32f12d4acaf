#!/bin/sh
# Writes the secrets that compose.yaml reads, new and random, into ./secrets; it writes over none that is there.
set -eu
umask 077
mkdir -p secrets
test ! -e secrets/database_password || { echo "secrets/ holds secrets already; remove it to make new ones" >&2; exit 1; }
random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

database=$(random) queue=$(random) access=$(random | cut -c1-20) secret=$(random)
printf %s "$database" >secrets/database_password
printf %s "postgresql://tidemark:$database@database/tidemark" >secrets/database_url
printf 'requirepass %s\n' "$queue" >secrets/queue_conf
printf %s "redis://:$queue@queue:6379/0" >secrets/queue_url
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$access" "$secret" >secrets/bucket_credentials
printf '{"identities": [{"name": "tidemark", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}\n' "$access" "$secret" >secrets/bucket_accounts
: >secrets/metrics_token        # docker compose run --rm page tokens create prometheus --role viewer
chmod 0444 secrets/*        # containers run under ids of their own; the folder, 0700, keeps others of this machine out
echo "secrets/ is written"
