# SPDX-License-Identifier: BSD-3-Clause
"""What runs on the lab's hosts beside the edge's steering: nginx, haproxy, echo services."""
import sys
from pathlib import Path

import network
import processes
from network import address, owned4, owned6
from processes import STATE

ECHO = Path(__file__).with_name("echo.py")
LARGE_BYTES = 3_000_000
OWN_PORT = 22  # of the edge itself: where an operator's ssh would be
ECHO_PORT = 7

NGINX = """
daemon off;
master_process off;
pid {state}/nginx-{host}.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_max_body_size 100m;
  client_body_temp_path {state}/nginx-{host};
  proxy_temp_path {state}/nginx-{host};
  fastcgi_temp_path {state}/nginx-{host};
  uwsgi_temp_path {state}/nginx-{host};
  scgi_temp_path {state}/nginx-{host};
  server {{
{listen}
    location = / {{ return 200 "{host} $remote_addr\\n"; }}
    location = /large {{ root {state}; default_type application/octet-stream; }}
    location = /upload {{ client_body_buffer_size 8m; proxy_pass http://127.0.0.1:81/; }}
{more}
  }}
  # An upload is read to its end before it is passed on to here.
  server {{ listen 127.0.0.1:81; location / {{ return 200 "taken\\n"; }} }}
}}
"""

# A reverse proxy whose origin has the very address that clients ask.
PROXY = f"""
    location = /origin4 {{ proxy_pass http://{owned4(1)}/; }}
    location = /origin6 {{ proxy_pass http://[{owned6(1)}]/; }}
"""

HAPROXY = """
global
  maxconn 2000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend echo
  bind {v4}:7
  bind [{v6}]:7
  default_backend echo
frontend web
  bind {v4}:80
  bind [{v6}]:80
  default_backend web
backend echo
  server echo 127.0.0.1:7
backend web
  server origin {origin}:80
"""


def _write(name, text):
    path = STATE / name
    path.write_text(text, encoding="utf-8")
    return path


def _start_nginx(host, addresses, more=""):
    (STATE / f"nginx-{host}").mkdir(exist_ok=True)
    listen = "\n".join(f"    listen {where}:80;" for where in addresses)
    path = _write(f"nginx-{host}.conf", NGINX.format(state=STATE, host=host, listen=listen, more=more))
    processes.start(host, "nginx", "-e", "stderr", "-p", STATE, "-c", path, log=f"nginx-{host}.log")


def _start_echo(host, *where):
    processes.start(host, sys.executable, ECHO, *where, log=f"echo-{host}.log")


def _start_haproxy():
    path = _write("haproxy.cfg", HAPROXY.format(v4=owned4(2), v6=owned6(2), origin=address("origin", "uplink")))
    processes.start("spectrum", "haproxy", "-db", "-f", path, log="haproxy.log")


def start():
    with open(STATE / "large", "wb") as large:
        large.write(b"steer" * (LARGE_BYTES // 5))
    _start_nginx("cdn", (owned4(1), f"[{owned6(1)}]"), PROXY)
    _start_nginx("origin", ("0.0.0.0", "[::]"))
    _start_echo("spectrum", "tcp", "127.0.0.1", ECHO_PORT, "udp", owned4(2), ECHO_PORT, "udp", owned6(2), ECHO_PORT)
    _start_echo("edge", "tcp", "0.0.0.0", OWN_PORT, "tcp", "::", OWN_PORT)
    _start_haproxy()
    for host, where, port in (("cdn", owned4(1), 80), ("origin", owned6(1), 80), ("spectrum", owned6(2), 80),
                              ("edge", "::1", OWN_PORT)):
        # A connection that starts at the CDN host leaves by the egress link; look at what listens instead.
        processes.wait_for(f"a listener on {where} port {port} of {host}", lambda h=host, p=port: _listens(h, p))


def _listens(host, port):
    return bool(processes.run(host, "ss", "-Hltn", f"sport = {port}").stdout)
