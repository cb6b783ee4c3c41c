FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

# Its own layer: the code changes often, what it runs on does not.
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt \
    && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin app

COPY . .
# Settings refuse to be read without these; nothing of them stays in the image.
RUN SECRET_KEY=only-while-the-image-is-built-0123456789-abcdefgh \
    DATABASE_URL=postgres://nobody@127.0.0.1:9/nothing REDIS_URL=redis://127.0.0.1:9/0 \
    python manage.py collectstatic --no-input --verbosity 0

USER app
# gunicorn listens on 0.0.0.0:$PORT when PORT is set, on loopback otherwise.
ENV PORT=8000
EXPOSE 8000
CMD ["gunicorn", "leadscoring.wsgi", "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"]
