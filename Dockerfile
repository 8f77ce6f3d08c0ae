# The service as an image: no root, no shell needed, nothing written but /data and /tmp.
# Handlers are added by an image of your own, FROM this one, or mounted under /app: docs/operations.md.
ARG PYTHON=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv --without-pip /opt/batchanator && mkdir -p /empty/app /empty/data
COPY requirements-build.lock requirements-runtime.lock ./
RUN /opt/build/bin/pip install -q --require-hashes -r requirements-build.lock \
    && /opt/build/bin/pip --python /opt/batchanator/bin/python install -q --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY sql sql
COPY batchanator batchanator
RUN /opt/build/bin/pip --python /opt/build/bin/python wheel -q --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/batchanator/bin/python install -q --no-deps dist/*.whl \
    && /opt/batchanator/bin/python -m compileall -q /opt/batchanator/lib

FROM ${PYTHON}
COPY --from=build /opt/batchanator /opt/batchanator
COPY --from=build --chown=10001:10001 /empty/ /
ENV PATH=/opt/batchanator/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp USER=batchanator \
    BATCHANATOR_HOST=0.0.0.0 BATCHANATOR_PORT=8080 BATCHANATOR_SQLITE_PATH=/data/batchanator.db
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-m", "batchanator", "health"]
ENTRYPOINT ["python", "-m", "batchanator"]
CMD ["serve"]
