# Touchline with the embedded engine. `docker build .` needs nothing but the sources.

FROM node:24-bookworm-slim AS node

FROM golang:1.26.8-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
# What changes seldom comes first, so that it stays cached.
COPY Makefile go.mod go.sum ./
COPY store/embedded/npm store/embedded/npm
RUN go mod download && make bin/libchdb.so bin/dbip-country.mmdb
COPY . .
RUN make build

# The engine library needs glibc.
FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/touchline --create-home touchline
# For a ClickHouse that is reached over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/touchline /src/bin/libchdb.so /src/bin/dbip-country.mmdb /src/LICENSE /src/NOTICE /opt/touchline/
ENV PATH=/opt/touchline:$PATH
USER touchline
WORKDIR /var/lib/touchline
VOLUME /var/lib/touchline
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["touchline", "health", "--url", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["touchline"]
CMD ["up", "--data", "/var/lib/touchline"]
