FROM python:3.11-slim

# LightGBM needs OpenMP's runtime; tini hands signals on and reaps what is left.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 tini \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /tidemark
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PATH=/tidemark/.venv/bin:$PATH

COPY requirements.txt requirements-dev.txt pyproject.toml ./
COPY worker/install.py worker/__init__.py worker/
COPY app/__init__.py app/
COPY domain/__init__.py domain/
COPY pages/__init__.py pages/
RUN python worker/install.py

COPY . .
RUN python worker/install.py \
 && python -m compileall -q app domain pages worker \
 && useradd --create-home --uid 10001 tidemark \
 && mkdir -p /data /frames /cache && chown tidemark /data /frames /cache

# It runs on a read-only root file system: /data is the workspace, /cache holds compiled code, copies in the making and what libraries cache.
USER tidemark
ENV TIDEMARK_STORAGE_HOME=/data TIDEMARK_APP_HOST=0.0.0.0 TMPDIR=/cache HOME=/cache PYTHONDONTWRITEBYTECODE=1
VOLUME ["/data", "/cache"]
EXPOSE 8501

# Beyond this machine it starts where people sign in, or where TIDEMARK_APP_BEHIND states why that is safe without:
#   docker run -p 127.0.0.1:8501:8501 -e TIDEMARK_APP_BEHIND="loopback only" tidemark
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/api/health', timeout=4)"]
ENTRYPOINT ["tini", "--", "python", "-m", "worker.cli"]
CMD ["up"]
