FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

# Its own layer: the code changes often, what it runs on does not.
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt \
    && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin app

COPY . .

USER app
# gunicorn listens on 0.0.0.0:$PORT when PORT is set, on loopback otherwise.
ENV PORT=8000
EXPOSE 8000
CMD ["gunicorn", "leadscoring.wsgi", "--worker-class", "leadscoring.operations.gunicorn_worker.BoundedThreadWorker", "--workers", "2", "--threads", "4", "--no-control-socket"]
