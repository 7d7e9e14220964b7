#!/bin/sh
# Fills the template's own variables, and no others, and becomes NGINX. In the cluster every function is behind one
# gateway, which tells them apart by Host.
set -eu

: "${DOMAIN:?the domain that people use}" "${GATEWAY:?host:port of the gateway to the functions}"
: "${LOGIN_HOST:?}" "${SEND_MESSAGE_HOST:?}" "${LIST_HISTORY_HOST:?}"

export NGINX_RUN="${NGINX_RUN:-/run/nginx}"
export NGINX_ACCESS_LOG="${NGINX_ACCESS_LOG:-/dev/stdout}"
export WEB_ROOT="${WEB_ROOT:-/srv/web}"
export UI_CONFIG="${UI_CONFIG:-{\}}"
export LOGIN_UPSTREAM="${LOGIN_UPSTREAM:-$GATEWAY}"
export SEND_MESSAGE_UPSTREAM="${SEND_MESSAGE_UPSTREAM:-$GATEWAY}"
export LIST_HISTORY_UPSTREAM="${LIST_HISTORY_UPSTREAM:-$GATEWAY}"
CSP_SCRIPT_HASHES="$(cat "$WEB_ROOT/.csp-script-hashes" 2>/dev/null || true)"
export CSP_SCRIPT_HASHES
# TLS 1.2 and 1.3 with forward secrecy (Mozilla's intermediate list, whose 1.2 part is ECDHE alone). The certificate's
# path holds a variable, so NGINX reads it again when its cache entry is a minute old: a renewed one is served without
# a reload, and no stream is cut for it. What comes in clear text is sent to the one name that is ours.
export NGINX_LISTEN="
        listen ${HTTP_PORT:-8080};
        listen ${HTTPS_PORT:-8443} ssl;
        ssl_certificate ${TLS_FOLDER:-/tls}/\$tls_name.crt;
        ssl_certificate_key ${TLS_FOLDER:-/tls}/\$tls_name.key;
        ssl_certificate_cache max=8 inactive=5m valid=${TLS_CACHE:-1m};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
        ssl_prefer_server_ciphers off;
        ssl_session_cache shared:tls:4m;
        ssl_session_timeout 1d;
        ssl_session_tickets off;
        if (\$redirect_to_https) { return 308 https://${DOMAIN}\$request_uri; }"

# Every ${NAME} by the environment, each once; $uri and its like are NGINX's own. One without a value ends the start.
awk '{
    done = ""
    while (match($0, /[$][{][A-Z_]+[}]/)) {
        name = substr($0, RSTART + 2, RLENGTH - 3)
        if (!(name in ENVIRON)) { print "nginx.conf.template: " name " has no value" > "/dev/stderr"; exit 1 }
        done = done substr($0, 1, RSTART - 1) ENVIRON[name]
        $0 = substr($0, RSTART + RLENGTH)
    }
    print done $0
}' "${0%/*}/nginx.conf.template" > "$NGINX_RUN/nginx.conf"
exec nginx -e stderr -c "$NGINX_RUN/nginx.conf"
