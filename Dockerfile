# One container, one process: the pages, the syncs, the reminders and the answers.
FROM docker.io/library/python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /opt/arrears
COPY requirements/run.lock requirements/run.lock
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --quiet --no-cache-dir --require-hashes -r requirements/run.lock

COPY pyproject.toml README.md LICENSE config.example.toml ./
COPY connector connector
COPY engine engine
COPY channels channels
COPY wording wording
COPY store store
COPY jobs jobs
COPY web web
COPY daemon daemon
COPY sandbox sandbox
RUN /opt/venv/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation .

# The configuration, the database and the key file live in one folder that outlasts the container.
RUN useradd --system --uid 10001 --home-dir /var/lib/arrears --create-home arrears
USER arrears
VOLUME /var/lib/arrears
WORKDIR /var/lib/arrears
ENV ARREARS_SERVER__HOST=0.0.0.0 ARREARS_CONFIG=/var/lib/arrears/config.toml PATH=/opt/venv/bin:$PATH
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["arrears"]
CMD ["serve"]
