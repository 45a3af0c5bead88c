# The base has Node 24 and npm, a user `node` (1000:1000), and a C++ library (DuckDB is native code).
# Behind a mirror: --build-arg BASE=…/node:24-trixie-slim, and npm's settings as a build secret, which stays
# out of the image: --secret id=npmrc,src=$HOME/.npmrc. Proxies: --build-arg HTTPS_PROXY=….
ARG BASE=docker.io/library/node:24-trixie-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package runs scripts of its own: what they would download or build is not needed.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY jobs ./jobs
COPY src ./src
RUN node_modules/.bin/tsc -p tsconfig.build.json && find dist -name '*.map' -delete
# Then what only the build needed, and what Node never loads: types, source maps, the AWS clients' builds for bundlers,
# native code for other platforms.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules -type d -name dist-types -prune -exec rm -r {} + \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' \) -delete \
 && rm -r node_modules/@aws-sdk/client-*/dist-es node_modules/@napi-rs \
 && platform="$(node -p 'process.platform + "-" + process.arch')" \
 && find node_modules/fs-native-extensions/prebuilds -mindepth 1 -maxdepth 1 ! -name "$platform" -exec rm -r {} +

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="backup-copy-export" \
      org.opencontainers.image.description="A permanent, provable record of every AWS Backup copy job in an organization" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Nothing is installed at run time: no package manager. Scratch belongs to the user who runs, also where the
# runtime mounts an empty volume over it (ECS copies the owner from here).
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && install -d -o 1000 -g 1000 /scratch
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY queries ./queries
COPY --from=build /app/dist ./dist
# The only place that is written to; the rest of the file system may be read-only.
ENV NODE_ENV=production \
    HOME=/home/node \
    TMPDIR=/scratch \
    BACKUP_COPY_EXPORT_SCRATCH=/scratch
VOLUME /scratch
USER 1000:1000
# Node is process 1: it takes SIGTERM itself, and starts no other process that would have to be reaped.
ENTRYPOINT ["node", "/app/dist/src/cli.js"]
