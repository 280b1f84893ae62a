# Three images: `build` makes the wheel, `dev` is for docker-compose (tests, shell), the last one runs.
# The last one writes to /data and /tmp only and needs no root: docker run --read-only --tmpfs /tmp.

FROM node:20.19.5-bookworm-slim AS node

FROM python:3.11.14-slim-bookworm AS base
ENV PATH=/opt/milobot/bin:$PATH \
    PYTHONUNBUFFERED=1
# The standard library comes uncompiled, and a read-only container could never keep what it compiles.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin milobot \
    && install -d -m 0700 -o milobot -g milobot /data \
    && python -m compileall -q -x '/(idlelib|lib2to3|site-packages|test|turtledemo)/' \
        "$(python -c 'import os; print(os.path.dirname(os.__file__))')"

FROM base AS tools
# npm brings the chart library of the page: the build hook asks for it.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /build
COPY constraints.txt ./
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt \
        hatchling editables \
    && python -m venv --without-pip /opt/milobot
# The dependencies have a layer of their own, which stays when only milobot changes.
COPY pyproject.toml ./
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
        print(*p['dependencies'], *p['optional-dependencies']['telegram'], sep='\n')" > requirements.txt \
    && /opt/tools/bin/pip --python /opt/milobot/bin/python install --no-cache-dir \
        --disable-pip-version-check -c constraints.txt -r requirements.txt

FROM tools AS build
COPY hatch_build.py package.json package-lock.json .npmrc README.md LICENSE ./
COPY samples samples
COPY src src
# Without the charts the build would end well, too: an image that lacks them is none.
RUN /opt/tools/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps \
        --wheel-dir dist . \
    && python -m zipfile -l dist/*.whl > listing.txt \
    && grep -q 'static/vendor/lightweight-charts.js' listing.txt \
    && /opt/tools/bin/pip --python /opt/milobot/bin/python install --no-cache-dir \
        --disable-pip-version-check --no-deps dist/*.whl \
    && python -m compileall -q /opt/milobot/lib

FROM tools AS dev
RUN install -d -o milobot -g milobot /app
WORKDIR /app
COPY --chown=milobot:milobot . .
RUN /opt/tools/bin/pip --python /opt/milobot/bin/python install --no-cache-dir \
        --disable-pip-version-check -c constraints.txt hatchling editables \
    && /opt/tools/bin/pip --python /opt/milobot/bin/python install --no-cache-dir \
        --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[dev,parquet,telegram]'
USER 10001:10001
EXPOSE 8080 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["milobot", "run"]

FROM base AS final
COPY --from=build /opt/milobot /opt/milobot
COPY alembic.ini /opt/milobot/alembic.ini
ENV ALEMBIC_CONFIG=/opt/milobot/alembic.ini \
    LISTEN=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8080 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["milobot", "run"]
