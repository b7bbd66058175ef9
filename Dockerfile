FROM node:24-slim AS ui
WORKDIR /build/admin_ui
COPY admin_ui/package.json admin_ui/package-lock.json admin_ui/.npmrc ./
RUN npm ci
COPY admin_ui ./
RUN npm run build

FROM python:3.11-slim
RUN useradd --system --create-home banshi && install -d -o banshi /data
WORKDIR /app
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY engine engine
COPY forms forms
COPY api api
COPY recommender recommender
COPY processes processes
COPY --from=ui /build/admin_ui/dist api/_ui
RUN pip install --no-cache-dir .
ENV BANSHI_DATA_DIR=/data BANSHI_HOST=0.0.0.0
USER banshi
EXPOSE 8000
CMD ["banshi", "serve"]
