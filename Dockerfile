# The two images of docker-compose.yml, each a stage: engine and orthanc.
#   docker build --target engine .
# Versions are those that the tests run with: Node as in package.json, Orthanc as in Debian 12.

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force

# The engine. Redis is another container: WORKLANE_REDIS_URL names it.
FROM node:24.21.0-bookworm-slim AS engine
WORKDIR /app
ENV NODE_ENV=production \
    WORKLANE_CONFIG=/app/config/worklane.yaml \
    WORKLANE_DATA_DIR=/var/lib/worklane \
    WORKLANE_BIND=0.0.0.0
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY connectors connectors
COPY pipelines pipelines
COPY config config
RUN install -d -o node -g node -m 0700 /var/lib/worklane
USER node
EXPOSE 2575 8575
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8575/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/main.ts"]

# Orthanc with Worklane's plugin as its only worklist plugin.
FROM debian:12.11-slim AS orthanc
# No service is started while apt works: the container starts Orthanc itself.
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
  && apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends orthanc orthanc-python dcmtk \
  && rm -rf /var/lib/apt/lists/*
COPY config/orthanc/plugin.json /etc/orthanc/worklane.json
COPY connectors/orthanc/plugin /etc/orthanc/worklane
# TCP_NODELAY: without it each C-FIND takes 40 ms longer (DCMTK reads it from the environment).
ENV TCP_NODELAY=1 \
    WORKLANE_PLUGIN_DIR=/etc/orthanc/worklane \
    ORTHANC_STORAGE=/var/lib/orthanc/db-v6
RUN install -d -o orthanc -g orthanc -m 0700 /var/lib/orthanc/db-v6
USER orthanc
EXPOSE 4242 8042
# An Orthanc whose plugin did not load runs on and rejects worklist queries: only a query tells.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
  CMD ["findscu", "-W", "-aet", "HEALTH", "-aec", "ORTHANC", "-to", "5", "127.0.0.1", "4242", "-k", "0008,0050=HEALTH-CHECK"]
ENTRYPOINT ["/usr/sbin/Orthanc", "/etc/orthanc/worklane.json"]
