# The daemon and its command line tool on Debian 12.
#
#   docker build -t penstock .
#   docker run --rm --network container:app -v penstock-data:/var/lib/penstock penstock
#
# As it is, the daemon is a sidecar: it listens on loopback and on a unix socket in /run/penstock.
# To other containers and hosts it is opened with client certificates (`server.tls` in a
# configuration mounted at /etc/penstock/penstock.yaml) or, on a network that is trusted, with
#
#   docker run -e PENSTOCK_LISTEN=0.0.0.0:7420 -e PENSTOCK_INSECURE=true -p 127.0.0.1:7420:7420 …
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
# The packages first: they change less often than the sources.
COPY scripts/lib.sh scripts/install-deps scripts/
RUN scripts/install-deps build
COPY . .
# scripts/build keeps what the first command has configured.
RUN cmake --preset release -DPENSTOCK_BUILD_TESTS=OFF \
    && scripts/build release penstockd penstock \
    && mkdir /out \
    && strip -o /out/penstockd build/release/bin/penstockd \
    && strip -o /out/penstock build/release/bin/penstock

FROM ${BASE}
# What the two programs link, and libpq and libpqxx for the drivers that have a server.
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        ca-certificates \
        libabsl20220623 \
        libfmt9 \
        libgrpc++1.51 \
        libjemalloc2 \
        libmicrohttpd12 \
        libpq5 \
        libpqxx-6.4 \
        libprometheus-cpp-core1.0 \
        libprotobuf32 \
        librocksdb7.8 \
        libsodium23 \
        libspdlog1.10 \
        libsqlite3-0 \
        libyaml-cpp0.7 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    && groupadd --gid 7420 penstock \
    && useradd --uid 7420 --gid 7420 --home-dir /var/lib/penstock --no-create-home \
        --shell /usr/sbin/nologin penstock \
    && install -d -m 0700 -o penstock -g penstock /var/lib/penstock \
    && install -d -m 0750 -o penstock -g penstock /run/penstock
COPY --from=build /out/penstockd /out/penstock /usr/bin/
COPY deploy/container/penstock.yaml /etc/penstock/penstock.yaml
# A library that is missing fails the build, not the first start.
RUN penstockd --version && penstock --version

ENV PENSTOCK_CONFIG=/etc/penstock/penstock.yaml
# By number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 7420:7420
WORKDIR /var/lib/penstock
VOLUME /var/lib/penstock
# gRPC, and HTTP for /metrics, /healthz and /readyz.
EXPOSE 7420 9420
# Asks the default database through 127.0.0.1:7420. If the daemon listens elsewhere, set
# PENSTOCK_TARGET; if it speaks TLS, give a health check with --tls-ca, --tls-cert and --tls-key.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["penstock", "--timeout", "3s", "ping"]
# Running calls have server.drain_grace (10 s) to end: stop it with a longer time limit than that.
STOPSIGNAL SIGTERM
ENTRYPOINT ["penstockd"]
