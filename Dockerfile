# The project's own services in Python: lander, simulator, and the one-shot initialisation.
ARG PYTHON_VERSION
FROM python:${PYTHON_VERSION} AS packages
WORKDIR /app
COPY requirements/uv.txt requirements/pipeline.txt requirements/
RUN pip install --quiet --no-cache-dir --require-hashes -r requirements/uv.txt \
  && python -m venv --without-pip .venv \
  && python -m uv pip install --quiet --no-cache --compile-bytecode --python .venv \
    --require-hashes -r requirements/pipeline.txt

FROM python:${PYTHON_VERSION}
RUN useradd --uid 10001 --create-home meterhouse \
  && install --directory --owner meterhouse --mode 0700 /var/lib/meterhouse
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY .env.example ./
COPY bin/stack bin/
COPY kafka/topics.tsv kafka/access.tsv kafka/
COPY minio/policies minio/policies
COPY stack stack
COPY simulator simulator
COPY lander lander
RUN .venv/bin/python -m compileall -q stack simulator lander
USER 10001:10001
CMD [".venv/bin/python", "-u", "-m", "lander"]
