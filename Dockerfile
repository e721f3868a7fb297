# syntax=docker/dockerfile:1.7

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY . .
# The slowest build makes the smallest and fastest program.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin coffer \
    && install -D target/dist/coffer /out/usr/local/bin/coffer \
    && install -d -m 0700 -o 10001 -g 10001 /out/data

FROM debian:12.12-slim
LABEL org.opencontainers.image.title="coffer" \
    org.opencontainers.image.description="A self-hosted library of links and Markdown notes" \
    org.opencontainers.image.licenses="MIT"
# Who answers for the mail server, the database and Redis over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# The program, and an empty /data of its user, which a new volume takes over.
COPY --from=build /out/ /
USER 10001:10001
ENV COFFER_HOST=0.0.0.0 COFFER_DATA_DIR=/data
VOLUME /data
EXPOSE 3000 9464
# Nothing but /data is written to: run it with a read-only root.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["coffer", "healthcheck"]
ENTRYPOINT ["coffer"]
CMD ["serve"]
