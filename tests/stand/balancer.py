"""nginx: Core's load balancer, and the stand's package index and repository."""

from __future__ import annotations

from tests.stand import places, secretbook
from tests.stand.manager.spec import Unit

_HEAD = """\
worker_processes 1;
daemon off;
user {account} nogroup;
pid /run/{name}.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_max_body_size 0;
  types {{ text/html html; application/json json; }}
  default_type application/octet-stream;
  client_body_temp_path /run/{name}-body;
  proxy_temp_path /run/{name}-proxy;
  fastcgi_temp_path /run/{name}-fastcgi;
  uwsgi_temp_path /run/{name}-uwsgi;
  scgi_temp_path /run/{name}-scgi;
"""
# What the manifests of the elements `core` and `metapaas` ask of Core's load balancer.
# In front of the calls of clients a platform has a cache.
# Source: exordos_core 0.3.5, exordos/manifests/core.yaml.j2, $core.network.lb;
# exordos_metapaas 1.3.0, exordos/manifests/metapaas.yaml.j2, core_lb_metapaas_route.
_BALANCER = """\
  proxy_cache_path /run/iam-cache keys_zone=iam:5m;
  server {{
    listen {core}:80;
    listen 127.0.0.1:80;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Prefix /api/core;
    location ~ ^/api/core/v1/iam/clients/default(.*)$ {{
{cache}      rewrite ^/api/core(/v1/iam/clients)/default(.*)$ $1/{client}$2 break;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Prefix /api/core;
      proxy_set_header X-Client-Id {client_id};
      proxy_set_header X-Client-Secret {client_secret};
      proxy_pass http://127.0.0.1:11010;
    }}
    location /api/core/ {{
      proxy_pass http://127.0.0.1:11010/;
    }}
    location /api/metapaas/ {{
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Prefix /api/metapaas;
      proxy_pass http://{metapaas}:8080/;
    }}
  }}
}}
"""
# Only what asks about a token, and apart for each token.
_CACHE = """\
      set $uncached 1;
      if ($uri ~ /actions/(introspect|jwks)$) { set $uncached 0; }
      proxy_cache iam;
      proxy_cache_key $uri$http_authorization;
      proxy_cache_valid 200 10s;
      proxy_cache_lock on;
      proxy_cache_bypass $uncached;
      proxy_no_cache $uncached;
"""
_INDEX = """\
  server {{
    listen {host}:8081;
    index index.html;
    # Else uv keeps a page for ten minutes, and does not see a new version.
    add_header Cache-Control no-cache;
    location /simple/ {{ alias {index}/simple/; }}
    location /exordos-elements/ {{ alias {repository}/; }}
  }}
}}
"""


def config(iam_cache: bool) -> str:
    """Core's load balancer, with or without a cache of introspected tokens."""
    return _head("balancer") + _BALANCER.format(
        core=places.CORE,
        metapaas=places.METAPAAS,
        client=secretbook.CLIENT,
        client_id=secretbook.CLIENT_ID,
        client_secret=secretbook.CLIENT_SECRET,
        cache=_CACHE if iam_cache else "",
    )


def index_config() -> str:
    """What serves packages and elements."""
    return _head("index") + _INDEX.format(
        host=places.HOST,
        index=places.INDEX,
        repository=places.REPOSITORY / "exordos-elements",
    )


def unit(path: str, port: int, host: str, name: str = "nginx") -> Unit:
    """An nginx with one of these."""
    return Unit(
        name=name,
        argv=["nginx", "-e", "stderr", "-c", path],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        ready_port=port,
        ready_host=host,
    )


def _head(name: str) -> str:
    return _HEAD.format(account=places.ACCOUNT, name=name)
