# One image a service: SERVICE is its extra in pyproject.toml (ingest, scoring, analytics-api), so that an image
# holds only the libraries its service needs, at the locked versions and with their hashes checked.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS build
ARG SERVICE
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE infra/lock_for.py ./
RUN python -m venv /app \
    && python lock_for.py "${SERVICE}" > service.lock \
    && /app/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r service.lock
COPY services services
COPY shared shared
COPY infra/embedded infra/embedded
RUN /app/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home loanpulse
COPY --from=build /app /app
COPY infra/postgres/roles.sql /app/roles.sql
COPY grafana/dashboards /app/grafana/dashboards
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 10001
