# The service in an image: the library as the wheel that is also published, and the shell around it as a checkout.
# Every stage installs from the hashed locks alone.

FROM python:3.12-slim-bookworm AS wheel
WORKDIR /src
COPY requirements/build.txt requirements/build.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY prospect_sync prospect_sync
RUN python -m hatchling build --target wheel --directory /wheel

FROM python:3.12-slim-bookworm AS installed
RUN python -m venv /opt/prospect-sync
COPY requirements/service.txt /tmp/service.txt
RUN /opt/prospect-sync/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/service.txt
COPY --from=wheel /wheel /wheel
RUN /opt/prospect-sync/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="prospect-sync" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 sync \
    && useradd --system --uid 10001 --gid sync --no-create-home --shell /usr/sbin/nologin sync \
    && install --directory --owner=sync --group=sync /var/lib/prospect-sync
COPY --from=installed /opt/prospect-sync /opt/prospect-sync
WORKDIR /app
COPY settings settings
COPY tasks tasks
COPY worker worker
ENV PATH=/opt/prospect-sync/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /var/lib/prospect-sync
STOPSIGNAL SIGTERM
# Asks the worker of this very container through the broker; a process that hangs does not answer.
HEALTHCHECK --interval=60s --timeout=30s --start-period=30s --retries=3 \
    CMD ["python", "-m", "worker", "alive"]
CMD ["python", "-m", "worker", "run"]
